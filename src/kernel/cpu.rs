//! What kernels are compiled for: the processors that all have, or those that
//! most have. The results are the same.

/// A set of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cpu {
    /// What every processor of this kind has.
    Portable,
    /// AVX2, which x86-64 processors since 2013 have.
    #[cfg_attr(
        all(not(test), any(portable_kernels, not(target_arch = "x86_64"))),
        expect(dead_code)
    )]
    Avx2,
}

impl Cpu {
    /// The best that this processor has. With `--cfg portable_kernels` it is not
    /// asked, so that instructions can be counted alike everywhere.
    pub(super) fn here() -> Cpu {
        #[cfg(all(target_arch = "x86_64", not(portable_kernels)))]
        if std::is_x86_feature_detected!("avx2") {
            return Cpu::Avx2;
        }
        Cpu::Portable
    }

    /// All that this processor has.
    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = Cpu> {
        let best = Cpu::here();
        [Cpu::Portable, Cpu::Avx2]
            .into_iter()
            .filter(move |&cpu| cpu == Cpu::Portable || cpu == best)
    }
}

/// Do `work` with the instructions of [`Cpu::Avx2`] if `AVX2`. What it captures
/// comes from memory there: it has to own it, and no constant should be among it.
///
/// # Safety
/// If `AVX2`, the processor has them.
#[inline(always)]
pub(super) unsafe fn compiled<const AVX2: bool, R>(work: impl FnOnce() -> R) -> R {
    /// # Safety
    /// The processor has AVX2.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn for_avx2<R>(work: impl FnOnce() -> R) -> R {
        work()
    }
    #[cfg(target_arch = "x86_64")]
    if AVX2 {
        // SAFETY: the caller's promise.
        return unsafe { for_avx2(work) };
    }
    work()
}

/// A function with the generics `types..., X, AVX2` for a truth value `X` and a
/// processor.
macro_rules! variant {
    ($function:ident::<$($type:ty),+>, $x:expr, $cpu:expr) => {
        match ($x, $cpu) {
            (false, Cpu::Portable) => $function::<$($type,)+ false, false>,
            (true, Cpu::Portable) => $function::<$($type,)+ true, false>,
            (false, Cpu::Avx2) => $function::<$($type,)+ false, true>,
            (true, Cpu::Avx2) => $function::<$($type,)+ true, true>,
        }
    };
}
pub(super) use variant;

//! Many selections read in one call.

use super::ArrayProxy;
use super::plan::{Plan, ReadAs};
use super::sources::read_all;
use crate::control::Control;
use crate::core::plan::Walk;
use crate::core::slice::{Selection, Slice};
use crate::error::{Error, ErrorKind, Result};
use crate::mem::{Buffer, Target};

/// Checked selections of one array, read together: in the order that suits the
/// file, each byte of it read or decoded once, by as many threads as allowed.
pub struct Batch {
    proxy: ArrayProxy,
    plans: Vec<Plan>,
    /// Bytes of all results.
    nbytes: u64,
}

impl ArrayProxy {
    /// Check selections, to be read together.
    pub fn batch<'a>(
        &self,
        indices: impl IntoIterator<Item = &'a [Slice]>,
        read_as: ReadAs,
    ) -> Result<Batch> {
        let mut plans: Vec<Plan> = Vec::new();
        for (i, index) in indices.into_iter().enumerate() {
            let selection = Selection::new(index, self.shape());
            let plan =
                selection.and_then(|selection| Plan::like(plans.last(), self, selection, read_as));
            plans.push(plan.map_err(|error| error.of_part(&format!("selection {i}")))?);
        }
        let nbytes: i128 = plans.iter().map(|plan| i128::from(plan.nbytes())).sum();
        let fits = isize::try_from(nbytes).is_ok();
        let most = self.shared.max_bytes.filter(|&most| nbytes > most.into());
        match (fits, most) {
            (true, None) => Ok(Batch {
                proxy: self.clone(),
                plans,
                nbytes: nbytes as u64,
            }),
            (_, Some(most)) => {
                let text = format!("the results have {nbytes} bytes, max_bytes allows {most}");
                Err(self.blame(Error::new(ErrorKind::Memory, text)))
            }
            (false, None) => {
                let text = format!("results of {nbytes} bytes pass the address space");
                Err(self.blame(Error::new(ErrorKind::Memory, text)))
            }
        }
    }
}

impl Batch {
    /// The selections, one after the other.
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// Bytes that `buffer` needs: all results packed one after the other, or
    /// up to the end of the one that ends last.
    pub fn nbytes(&self, offsets: Option<&[usize]>) -> u64 {
        let ends = |offsets: &[usize]| {
            let placed = self.plans.iter().zip(offsets);
            let ends = placed
                .filter(|(plan, _)| plan.nbytes() > 0)
                .map(|(plan, &at)| (at as u64).saturating_add(plan.nbytes() as u64));
            ends.max().unwrap_or(0)
        };
        offsets.map_or(self.nbytes, ends)
    }

    /// Read. Result i goes to byte `offsets[i]` of `buffer`, packed, or behind
    /// the one before it. Results must lie inside the buffer and apart.
    pub fn read_into<'a>(
        &self,
        buffer: impl Into<Buffer<'a>>,
        offsets: Option<&[usize]>,
        control: Option<&Control>,
    ) -> Result<()> {
        if let Some(offsets) = offsets.filter(|offsets| offsets.len() != self.plans.len()) {
            let text = format!(
                "{} offsets for {} selections",
                offsets.len(),
                self.plans.len()
            );
            return Err(Error::new(ErrorKind::Argument, text));
        }
        let mut next = 0;
        let part = |(i, plan): (usize, &Plan)| {
            let len = plan.nbytes() as usize;
            next += len;
            (offsets.map_or(next - len, |offsets| offsets[i]), len)
        };
        let parts: Vec<(usize, usize)> = self.plans.iter().enumerate().map(part).collect();
        let buffers = buffer.into().parts(&parts)?;
        let targets = self.plans.iter().zip(buffers).map(|(plan, buffer)| {
            let strides = plan.packed_strides();
            let walks = plan.walks(&strides)?;
            plan.check_there(&walks)?;
            let item = plan.dtype().size();
            let target = Target::new(buffer, 0, plan.shape(), &strides, item)?;
            Ok((walks, target))
        });
        let targets = targets.collect::<Result<Vec<(Vec<Walk>, Target<'_>)>>>()?;
        let placed = self.plans.iter().zip(&targets);
        let placed: Vec<_> = placed
            .map(|(plan, (walks, target))| (plan, &walks[..], target))
            .collect();
        read_all(&self.proxy, &placed, control)
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("proxy", &self.proxy)
            .field("plans", &self.plans.len())
            .finish_non_exhaustive()
    }
}

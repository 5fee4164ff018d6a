//! Results as ndarray's arrays.

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::{ArrayProxy, Plan, ReadAs};
use crate::core::dtype::Order;
use crate::core::slice::Slice;
use crate::error::{Error, ErrorKind, Result};
use crate::mem::Element;

impl ArrayProxy {
    /// Read a selection as elements of type `T`, in column-major order.
    ///
    /// ```no_run
    /// use arrayproxy::{ArrayProxy, Slice};
    ///
    /// let proxy = ArrayProxy::open("bold.nii.gz")?;
    /// let course = proxy.read::<f64>(&[40.into(), 50.into(), 30.into(), Slice::ALL])?;
    /// assert_eq!(course.ndim(), 1);
    /// # Ok::<(), arrayproxy::Error>(())
    /// ```
    pub fn read<T: Element>(&self, index: &[Slice]) -> Result<ArrayD<T>> {
        self.plan(index, ReadAs::dtype(T::DTYPE))?.read_array()
    }
}

impl Plan {
    /// Read into a new array. `T` must be the plan's type.
    pub fn read_array<T: Element>(&self) -> Result<ArrayD<T>> {
        let elements = self.read_vec()?;
        let lengths: Vec<usize> = self.shape().iter().map(|&n| n as usize).collect();
        let shape = IxDyn(&lengths).set_f(self.order() == Order::F);
        ArrayD::from_shape_vec(shape, elements)
            .map_err(|error| Error::new(ErrorKind::Memory, format!("ndarray: {error}")))
    }
}

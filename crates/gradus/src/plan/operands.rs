//! The operand table: each buffer that an operation touches, with its access, its size and
//! its layout in memory. Data dependencies, size checks, sharing of memory, panel-packing and
//! the dump are all derived from it.

use super::buffer::{Buffer, Size, View};
use super::ops::MatMulDims;

/// The use that an operation makes of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its values are read.
    Read,
    /// Its values are made anew.
    Write,
    /// Its values are read and changed.
    Update,
}

/// The order of a buffer's elements that an operation can work with. An engine may pack
/// matrices into panels of columns; it learns here where that goes unnoticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Row-major only.
    RowMajor,
    /// A matrix of the batch, gone over column by column, element beside element with all
    /// others of this layout: they must be packed alike.
    Columns(View),
    /// As `Columns`, but a feed may be row-major beside packed ones.
    ColumnsOrFeed(View),
    /// A factor or result of a matrix product with a row for each of the batch: packed or
    /// not, whatever the others are.
    Product(View),
    /// The images of a convolution, a matrix row for each pixel: row-major.
    Images(View),
    /// The weights of a convolution by channels: row-major.
    Factors(usize),
    /// The weight matrix of a product, or its gradient, which an engine may keep packed.
    Weights(MatMulDims),
    /// The weight matrix of a quantized product, of whole numbers, which an engine may keep as
    /// int8 in any order.
    Int8(MatMulDims),
    /// Elements of a variable, or of its gradient, beside those of all others of this layout:
    /// they must be packed alike.
    Elements,
    /// Any: the operation asks the engine for the layout, or does not depend on it.
    Any,
    /// Any, also of a matrix of the batch: all elements are taken, in whatever order.
    Unordered,
}

/// The size and layout that an operation needs of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    size: Size,
    layout: Layout,
}

/// A fixed number of elements, row-major.
pub fn fixed(size: usize) -> Extent {
    Extent {
        size: Size::Fixed(size),
        layout: Layout::RowMajor,
    }
}

/// A number of elements for each row of the batch, row-major.
pub fn per_row(size: usize) -> Extent {
    Extent {
        size: Size::PerRow(size),
        layout: Layout::RowMajor,
    }
}

/// A matrix of the batch, row-major.
pub fn rows(view: View) -> Extent {
    per_row(view.per_row())
}

/// A matrix of the batch, gone over column by column: see [`Layout::Columns`].
pub fn columns(view: View) -> Extent {
    Extent {
        size: Size::PerRow(view.per_row()),
        layout: Layout::Columns(view),
    }
}

/// See [`Layout::ColumnsOrFeed`].
pub fn columns_or_feed(view: View) -> Extent {
    Extent {
        layout: Layout::ColumnsOrFeed(view),
        ..columns(view)
    }
}

/// A matrix of the batch in a product: see [`Layout::Product`].
pub fn product(view: View) -> Extent {
    Extent {
        layout: Layout::Product(view),
        ..columns(view)
    }
}

/// The images of a convolution: see [`Layout::Images`].
pub fn images(view: View) -> Extent {
    Extent {
        layout: Layout::Images(view),
        ..rows(view)
    }
}

/// The weights of a convolution by channels: see [`Layout::Factors`].
pub fn factors(size: usize) -> Extent {
    Extent {
        layout: Layout::Factors(size),
        ..fixed(size)
    }
}

/// The weight matrix of a product: see [`Layout::Weights`].
pub fn weights(dims: MatMulDims) -> Extent {
    Extent {
        size: Size::Fixed(dims.inputs * dims.outputs),
        layout: Layout::Weights(dims),
    }
}

/// The weight matrix of a quantized product: see [`Layout::Int8`].
pub fn int8(dims: MatMulDims) -> Extent {
    Extent {
        layout: Layout::Int8(dims),
        ..weights(dims)
    }
}

/// Elements of a variable: see [`Layout::Elements`].
pub fn elements(size: usize) -> Extent {
    Extent {
        size: Size::Fixed(size),
        layout: Layout::Elements,
    }
}

/// Elements in any layout: see [`Layout::Any`].
pub fn any(size: Size) -> Extent {
    Extent {
        size,
        layout: Layout::Any,
    }
}

/// Elements in whatever order: see [`Layout::Unordered`].
pub fn unordered(size: Size) -> Extent {
    Extent {
        size,
        layout: Layout::Unordered,
    }
}

/// A buffer in an operation's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    pub buffer: Buffer,
    pub access: Access,
    pub size: Size,
    pub layout: Layout,
    /// The input whose memory this output may overwrite.
    pub over: Option<Buffer>,
}

impl Operand {
    /// Its size and layout.
    pub fn extent(&self) -> Extent {
        Extent {
            size: self.size,
            layout: self.layout,
        }
    }

    /// True if its values from before the operation matter.
    pub fn is_read(&self) -> bool {
        self.access != Access::Write
    }

    /// True if the operation changes its values.
    pub fn is_written(&self) -> bool {
        self.access != Access::Read
    }

    /// The view of a factor of a matrix product or a convolution, of which mixed precision rounds both; None of
    /// all other operands.
    pub fn factor(&self) -> Option<View> {
        match (self.access, self.layout) {
            (Access::Read, Layout::Product(view) | Layout::Images(view)) => Some(view),
            (Access::Read, Layout::Factors(size)) => Some(View::row(size)),
            (Access::Read, Layout::Weights(dims)) => Some(View::row(dims.inputs * dims.outputs)),
            _ => None,
        }
    }
}

/// An operation's operands, the order of the reads and of the writes being those of the dump.
#[derive(Clone, Debug, Default)]
pub struct Operands(Vec<Operand>);

impl Operands {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a buffer that is read; nothing if there is none.
    pub fn read(self, buffer: impl Into<Option<Buffer>>, extent: Extent) -> Self {
        self.with(buffer.into(), Access::Read, extent)
    }

    /// Adds a buffer that is written; nothing if there is none.
    pub fn write(self, buffer: impl Into<Option<Buffer>>, extent: Extent) -> Self {
        self.with(buffer.into(), Access::Write, extent)
    }

    /// Adds a buffer that is changed; nothing if there is none.
    pub fn update(self, buffer: impl Into<Option<Buffer>>, extent: Extent) -> Self {
        self.with(buffer.into(), Access::Update, extent)
    }

    /// Lets the last operand overwrite the memory of an input.
    pub fn over(mut self, input: Buffer) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.over = Some(input);
        }
        self
    }

    fn with(mut self, buffer: Option<Buffer>, access: Access, extent: Extent) -> Self {
        self.0.extend(buffer.map(|buffer| Operand {
            buffer,
            access,
            size: extent.size,
            layout: extent.layout,
            over: None,
        }));
        self
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Operand> {
        self.0.iter()
    }
}

impl IntoIterator for Operands {
    type Item = Operand;
    type IntoIter = std::vec::IntoIter<Operand>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

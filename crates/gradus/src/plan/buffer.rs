//! Buffers: numbered arrays of a plan, their sizes, and how they are seen as matrices.

/// The index of a buffer in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Buffer(pub u32);

impl Buffer {
    /// The number, as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// See [`View::has_many_positions`].
const MANY_POSITIONS: usize = 16;

/// Limit of [`View::parts`].
const MOST_PARTS: usize = 64;

/// A buffer seen as a matrix of (rows · positions) × width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Matrix rows for each row of the batch.
    pub positions: usize,
    /// Matrix columns.
    pub width: usize,
}

impl View {
    /// One matrix row of this width for each row of the batch.
    pub fn row(width: usize) -> Self {
        View {
            positions: 1,
            width,
        }
    }

    /// True of so many positions that a lane of columns is a small part of the matrix: what is done element by
    /// element is then cut by rows, and sums over rows are made in parts.
    pub fn has_many_positions(self) -> bool {
        self.positions >= MANY_POSITIONS
    }

    /// Parts of the matrix rows over each of which sums are made by themselves, so that threads may share them
    /// out without a change of the sums. None is empty.
    pub fn parts(self) -> usize {
        self.positions.min(MOST_PARTS)
    }

    /// Elements for each row of the batch.
    pub fn per_row(self) -> usize {
        self.positions * self.width
    }
}

/// The number of elements in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A number for each row of the batch.
    PerRow(usize),
    /// One number, whatever the batch.
    Fixed(usize),
}

impl Size {
    /// The number of elements for a batch of `rows`.
    pub fn of(self, rows: usize) -> usize {
        match self {
            Size::PerRow(n) => n * rows,
            Size::Fixed(n) => n,
        }
    }
}

/// The source of a buffer's values, and their lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Variable: kept from step to step, such as a weight, a statistic, an optimizer's slot.
    Variable,
    /// Feed: the n-th input given with each batch.
    Feed(usize),
    /// Temporary: written and read within a step.
    Temporary,
}

/// A buffer's name, size and role.
#[derive(Clone, Debug, PartialEq)]
pub struct BufferInfo {
    /// Name, for the dump and for errors.
    pub name: String,
    /// The number of its elements.
    pub size: Size,
    /// Their source.
    pub role: Role,
}

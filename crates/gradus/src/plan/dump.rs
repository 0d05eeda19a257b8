//! The plan as text, for people and for snapshot tests.

use super::{Buffer, Op, Plan};
use std::fmt::{self, Write};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}, up to {} rows", self.mode, self.rows)?;
        for op in &self.ops {
            writeln!(f, "  {}", self.line(op, &|_| String::new())?)?;
        }
        Ok(())
    }
}

impl Plan {
    /// An operation with the buffers that it reads and writes, and what an engine has to say of
    /// each buffer.
    pub(crate) fn line(
        &self,
        op: &Op,
        note: &dyn Fn(Buffer) -> String,
    ) -> Result<String, fmt::Error> {
        let mut line = op.name().to_owned();
        let mut list = |arrow: &str, buffers: &[Buffer]| -> fmt::Result {
            for (i, b) in buffers.iter().enumerate() {
                write!(
                    line,
                    "{}{}",
                    if i == 0 { arrow } else { ", " },
                    self.label(*b, note)
                )?;
            }
            Ok(())
        };
        list(" ", &op.reads().collect::<Vec<_>>())?;
        list(" -> ", &op.writes().collect::<Vec<_>>())?;
        Ok(line)
    }

    fn label(&self, buffer: Buffer, note: &dyn Fn(Buffer) -> String) -> String {
        let info = &self.buffers[buffer.index()];
        format!("%{}{} {}", buffer.0, note(buffer), info.name)
    }
}

//! The plan as text, for people and for snapshot tests.

use super::memory::Place;
use super::{Buffer, Op, Plan};
use std::fmt::{self, Write};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:?}, up to {} rows, arena {}",
            self.mode, self.rows, self.arena
        )?;
        for (number, phase) in self.phases.iter().enumerate() {
            for group in phase {
                writeln!(f, "phase {number}: {:?}", group.split)?;
                for op in &self.ops[group.ops.clone()] {
                    writeln!(f, "  {}", self.line(op)?)?;
                }
            }
        }
        Ok(())
    }
}

impl Plan {
    fn line(&self, op: &Op) -> Result<String, fmt::Error> {
        let full = format!("{op:?}");
        let name = full.split([' ', '(']).next().unwrap_or_default();
        let mut line = name.to_owned();
        let mut list = |arrow: &str, buffers: &[Buffer]| -> fmt::Result {
            for (i, b) in buffers.iter().enumerate() {
                write!(
                    line,
                    "{}{}",
                    if i == 0 { arrow } else { ", " },
                    self.label(*b)
                )?;
            }
            Ok(())
        };
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        op.reads(&mut |b| reads.push(b));
        op.writes(&mut |b| writes.push(b));
        list(" ", &reads)?;
        list(" -> ", &writes)?;
        Ok(line)
    }

    fn label(&self, buffer: Buffer) -> String {
        let info = &self.buffers[buffer.index()];
        let place = match self.places[buffer.index()] {
            Place::Arena(start) => format!("@{start}"),
            Place::Piece => "@piece".to_owned(),
            Place::Outside => String::new(),
        };
        format!("%{}{place} {}", buffer.0, info.name)
    }
}

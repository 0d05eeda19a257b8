//! The compiled form as text, for people and for snapshot tests.

use super::Compiled;
use super::allocation::Allocation;
use crate::plan::Buffer;
use std::fmt;

impl fmt::Display for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = &self.plan;
        writeln!(
            f,
            "{:?}, up to {} rows, arena {}",
            plan.mode, plan.rows, self.arena
        )?;
        let place = |buffer: Buffer| match self.allocations[buffer.index()] {
            Allocation::Arena(start) => format!("@{start}"),
            Allocation::Chunk => "@chunk".to_owned(),
            Allocation::Outside => String::new(),
        };
        for (number, phase) in self.phases.iter().enumerate() {
            for group in phase {
                writeln!(f, "phase {number}: {:?}", group.split)?;
                for op in &plan.ops[group.ops.clone()] {
                    writeln!(f, "  {}", plan.line(op, &place)?)?;
                }
            }
        }
        Ok(())
    }
}

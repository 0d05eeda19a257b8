//! Memory of a session, looked at before it is allocated.

use super::compile::Compiled;
use super::ops;
use crate::base::memory;
use crate::error::Result;
use crate::plan::{Program, Role, Size};
use std::sync::Arc;

/// Refuses a program of which one buffer alone does not fit, before it is compiled: behind that, no
/// sum of sizes overflows.
pub(super) fn check_buffers(program: &Program) -> Result<()> {
    for plan in &program.plans {
        let bytes = |size: Size| match size {
            Size::PerRow(n) => memory::bytes(size_of::<f32>(), &[n, plan.rows]),
            Size::Fixed(n) => memory::bytes(size_of::<f32>(), &[n]),
        };
        let own = plan.buffers.iter().filter(|b| b.role != Role::Variable);
        let largest = own.max_by_key(|b| bytes(b.size).unwrap_or(u64::MAX));
        if let Some(buffer) = largest {
            memory::check("", bytes(buffer.size), |amount| {
                let (name, rows) = (&buffer.name, plan.rows);
                format!("{amount} for `{name}` of batches of {rows} rows")
            })?;
        }
    }
    Ok(())
}

/// Refuses a session that does not fit: its variables, the places of its plans' buffers, and the
/// scratch of each thread.
pub(super) fn check_session(
    variables: usize,
    plans: &[Arc<Compiled>],
    threads: usize,
) -> Result<()> {
    let most = |f: fn(&Compiled) -> usize| plans.iter().map(|c| f(c)).max().unwrap_or(0);
    let scratch = most(|compiled| ops::scratch(&compiled.plan));
    let parts = [(variables, 1), (most(|c| c.arena), 1), (scratch, threads)];
    let all = parts.into_iter().try_fold(0_u64, |all, (size, count)| {
        all.checked_add(memory::bytes(size_of::<f32>(), &[size, count])?)
    });
    memory::check("", all, |amount| {
        let rows = plans.iter().map(|c| c.plan.rows).max().unwrap_or(0);
        format!("{amount} for the weights and batches of {rows} rows")
    })
}

//! Activations: element by element, and softmax by row.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::isa::Isa;
use crate::engine::cpu::kernels::columns::{self, Block};
use crate::engine::cpu::kernels::rows;
use crate::plan::ops::{Activate, ActivateGradient, Softmax, SoftmaxGradient};
use crate::rules::activations::{ActivationFormula, Visit};

impl Execute for Activate {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        self.rule.visit(Forward {
            isa: context.isa,
            x: context.at(self.x),
            y: context.at(self.y),
            block: part.columns(),
        });
    }
}

struct Forward {
    isa: Isa,
    x: *const f32,
    y: *mut f32,
    block: Block,
}

impl Visit for Forward {
    type Output = ();
    fn visit<R: ActivationFormula>(self, rule: &R) {
        let Forward { isa, x, y, block } = self;
        isa.run(columns::Activate { rule, x, y, block });
    }
}

impl Execute for ActivateGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        self.rule.visit(Backward {
            isa: context.isa,
            x: context.at(self.x.unwrap_or(self.y)),
            y: context.at(self.y),
            dy: context.at(self.dy),
            dx: context.at(self.dx),
            block: part.columns(),
        });
    }
}

struct Backward {
    isa: Isa,
    x: *const f32,
    y: *const f32,
    dy: *const f32,
    dx: *mut f32,
    block: Block,
}

impl Visit for Backward {
    type Output = ();
    fn visit<R: ActivationFormula>(self, rule: &R) {
        let Backward {
            isa,
            x,
            y,
            dy,
            dx,
            block,
        } = self;
        isa.run(columns::ActivateGradient {
            rule,
            x,
            y,
            dy,
            dx,
            block,
        });
    }
}

impl Execute for Softmax {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        context.isa.run(rows::Softmax {
            x: rows.at(self.x, width),
            y: rows.at(self.y, width),
            log: self.log,
            rows: rows.count(),
            width,
        });
    }
}

impl Execute for SoftmaxGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        context.isa.run(rows::SoftmaxGradient {
            y: rows.at(self.y, width),
            dy: rows.at(self.dy, width),
            dx: rows.at(self.dx, width),
            log: self.log,
            rows: rows.count(),
            width,
        });
    }
}

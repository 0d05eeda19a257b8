//! Random changes of each element, the same forward and backward.

use crate::plan::backward::Pass;
use crate::plan::lower::{Lowering, Value};
use crate::plan::operands::{Operands, columns, per_row};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, View};
use crate::rules::noise::Noise as Rule;

/// y = x / (1 - rate) where the stream's random number is at least `rate`, else 0: the same
/// mask forward and backward.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout {
    pub x: Buffer,
    pub y: Buffer,
    pub rate: f32,
    pub stream: u32,
    pub view: View,
}

impl Operation for Dropout {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, columns(self.view))
            .write(self.y, columns(self.view))
            .over(self.x)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_element(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Dropout {
            x,
            rate,
            stream,
            view,
            ..
        } = self;
        pass.pass_on(x, view, |dx| Dropout {
            x: dy,
            y: dx,
            rate,
            stream,
            view,
        });
        Backward::Passed
    }
}

/// Dropout of channels: of each row, the same columns are 0 at all positions.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelDropout {
    pub x: Buffer,
    pub y: Buffer,
    pub rate: f32,
    pub stream: u32,
    pub view: View,
}

impl Operation for ChannelDropout {
    fn operands(&self) -> Operands {
        let size = self.view.per_row();
        Operands::new()
            .read(self.x, per_row(size))
            .write(self.y, per_row(size))
    }

    fn split(&self) -> Split {
        Split::Rows(View::row(self.view.per_row()))
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &ChannelDropout { x, view, .. } = self;
        pass.pass_on(x, View::row(view.per_row()), |dx| ChannelDropout {
            x: dy,
            y: dx,
            ..*self
        });
        Backward::Passed
    }
}

/// y = x under the noise of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    pub rule: Rule,
    pub x: Buffer,
    pub y: Buffer,
    pub stream: u32,
    pub view: View,
}

impl Operation for Noise {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.x, columns(self.view))
            .write(self.y, columns(self.view))
            .over(self.x)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_rows(&self) -> bool {
        true
    }

    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        let &Noise {
            rule,
            x,
            y,
            stream,
            view,
        } = self;
        if rule.keeps_gradient() {
            pass.pass_through(x, dy, view);
            return Backward::Passed;
        }
        pass.pass_on(x, view, |dx| NoiseGradient {
            rule,
            y,
            dy,
            dx,
            stream,
            view,
        });
        Backward::Passed
    }
}

/// The gradient of `Noise`, with the same random numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseGradient {
    pub rule: Rule,
    pub y: Buffer,
    pub dy: Buffer,
    pub dx: Buffer,
    pub stream: u32,
    pub view: View,
}

impl Operation for NoiseGradient {
    fn operands(&self) -> Operands {
        Operands::new()
            .read(self.y, columns(self.view))
            .read(self.dy, columns(self.view))
            .write(self.dx, columns(self.view))
            .over(self.dy)
    }

    fn split(&self) -> Split {
        Split::Columns(self.view)
    }

    fn is_by_rows(&self) -> bool {
        true
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }
}

impl Lowering {
    /// x with a share `rate` of it set to 0, if noise is active or if `always`.
    pub fn dropout(&mut self, x: &Value, rate: f64, always: bool) -> Value {
        let stream = self.stream();
        if !(self.noisy() || always) || rate == 0.0 {
            return x.clone();
        }
        let y = self.like("dropped", &x.shape);
        self.push(Dropout {
            x: x.buffer,
            y: y.buffer,
            rate: rate as f32,
            stream,
            view: x.view(),
        });
        y
    }

    /// x with a share `rate` of each row's channels, its columns, set to 0, if noise is active.
    pub fn channel_dropout(&mut self, x: &Value, rate: f64) -> Value {
        let stream = self.stream();
        if !self.noisy() || rate == 0.0 {
            return x.clone();
        }
        let y = self.like("dropped", &x.shape);
        self.push(ChannelDropout {
            x: x.buffer,
            y: y.buffer,
            rate: rate as f32,
            stream,
            view: x.view(),
        });
        y
    }

    /// x under noise, if that is active or if `always`; `None` otherwise.
    pub fn noise(&mut self, x: &Value, rule: Rule, always: bool) -> Option<Value> {
        let stream = self.stream();
        if !(self.noisy() || always) {
            return None;
        }
        let y = self.like("noisy", &x.shape);
        self.push(Noise {
            rule,
            x: x.buffer,
            y: y.buffer,
            stream,
            view: x.view(),
        });
        Some(y)
    }
}

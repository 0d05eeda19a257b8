//! Formatting of numbers in messages.

/// The largest whole number up to which every one is a 64-bit float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number of 32 bits: a whole one with all its digits, any other as short as it reads
/// back. `f32` itself writes 2147483648 as 2147483600.
pub(crate) fn single(x: f32) -> String {
    match x.fract() == 0.0 && f64::from(x).abs() <= EXACT {
        true => f64::from(x).to_string(),
        false => x.to_string(),
    }
}

/// A number of 64 bits, as short as it reads back: as one of 32 bits, if it is one.
pub(crate) fn double(x: f64) -> String {
    match f64::from(x as f32) == x {
        true => single(x as f32),
        false => x.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_all_their_digits() {
        assert_eq!(single(2_147_483_648.0), "2147483648");
        assert_eq!(single(-16_777_216.0), "-16777216");
        assert_eq!(single(0.1), "0.1");
        assert_eq!(double(1_700_000_059.0), "1700000059");
        assert_eq!(single(f32::NAN), "NaN");
    }
}

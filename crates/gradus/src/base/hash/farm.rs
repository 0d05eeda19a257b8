//! FarmHash's `Fingerprint64`, whose values never change: Hash64 of `farmhashna`, in
//! <https://github.com/google/farmhash>.

use super::word;

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;

/// The fingerprint of a text.
pub(super) fn fingerprint(text: &[u8]) -> u64 {
    match text.len() {
        0..=16 => up_to_16(text),
        17..=32 => up_to_32(text),
        33..=64 => up_to_64(text),
        _ => long(text),
    }
}

fn half(text: &[u8], at: usize) -> u64 {
    let mut half = [0; 4];
    half.copy_from_slice(&text[at..at + 4]);
    u32::from_le_bytes(half).into()
}

fn shift_mix(x: u64) -> u64 {
    x ^ (x >> 47)
}

fn joined(u: u64, v: u64, by: u64) -> u64 {
    let a = shift_mix((u ^ v).wrapping_mul(by));
    shift_mix((v ^ a).wrapping_mul(by)).wrapping_mul(by)
}

fn sum<const N: usize>(all: [u64; N]) -> u64 {
    all.into_iter().fold(0, u64::wrapping_add)
}

fn up_to_16(text: &[u8]) -> u64 {
    let length = text.len() as u64;
    let by = K2.wrapping_add(length * 2);
    match text.len() {
        8.. => {
            let a = word(text, 0).wrapping_add(K2);
            let b = word(text, text.len() - 8);
            let c = b.rotate_right(37).wrapping_mul(by).wrapping_add(a);
            let d = a.rotate_right(25).wrapping_add(b).wrapping_mul(by);
            joined(c, d, by)
        }
        4.. => {
            let a = half(text, 0);
            joined(length + (a << 3), half(text, text.len() - 4), by)
        }
        1.. => {
            let [a, b, c] = [0, text.len() / 2, text.len() - 1].map(|at| u64::from(text[at]));
            let (y, z) = (a + (b << 8), length + (c << 2));
            shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K0)).wrapping_mul(K2)
        }
        0 => K2,
    }
}

fn up_to_32(text: &[u8]) -> u64 {
    let end = text.len();
    let by = K2.wrapping_add(end as u64 * 2);
    let a = word(text, 0).wrapping_mul(K1);
    let b = word(text, 8);
    let c = word(text, end - 8).wrapping_mul(by);
    let d = word(text, end - 16).wrapping_mul(K2);
    joined(
        sum([a.wrapping_add(b).rotate_right(43), c.rotate_right(30), d]),
        sum([a, b.wrapping_add(K2).rotate_right(18), c]),
        by,
    )
}

fn up_to_64(text: &[u8]) -> u64 {
    let end = text.len();
    let by = K2.wrapping_add(end as u64 * 2);
    let a = word(text, 0).wrapping_mul(K2);
    let b = word(text, 8);
    let c = word(text, end - 8).wrapping_mul(by);
    let d = word(text, end - 16).wrapping_mul(K2);
    let y = sum([a.wrapping_add(b).rotate_right(43), c.rotate_right(30), d]);
    let z = joined(y, sum([a, b.wrapping_add(K2).rotate_right(18), c]), by);
    let e = word(text, 16).wrapping_mul(by);
    let f = word(text, 24);
    let g = y.wrapping_add(word(text, end - 32)).wrapping_mul(by);
    let h = z.wrapping_add(word(text, end - 24)).wrapping_mul(by);
    joined(
        sum([e.wrapping_add(f).rotate_right(43), g.rotate_right(30), h]),
        sum([e, f.wrapping_add(a).rotate_right(18), g]),
        by,
    )
}

/// Two sums of 32 bytes and two seeds.
fn weak(text: &[u8], a: u64, b: u64) -> [u64; 2] {
    let [w, x, y, z] = [0, 8, 16, 24].map(|at| word(text, at));
    let a = a.wrapping_add(w);
    let b = sum([b, a, z]).rotate_right(21);
    let c = sum([a, x, y]);
    [c.wrapping_add(z), sum([b, c.rotate_right(44), a])]
}

/// Texts of more than 64 bytes: block after block of 64, then the last 64 bytes again.
fn long(text: &[u8]) -> u64 {
    const SEED: u64 = 81;
    let mut state = State {
        x: SEED.wrapping_mul(K2),
        y: SEED.wrapping_mul(K1).wrapping_add(113),
        z: 0,
        v: [0; 2],
        w: [0; 2],
    };
    state.z = shift_mix(state.y.wrapping_mul(K2).wrapping_add(113)).wrapping_mul(K2);
    state.x = state.x.wrapping_add(word(text, 0));
    let blocks = (text.len() - 1) / 64;
    for block in text.chunks(64).take(blocks) {
        state.take(block, K1, 1);
    }
    let by = K1.wrapping_add((state.z & 0xff) << 1);
    let rest = (text.len() as u64 - 1) & 63;
    state.w[0] = state.w[0].wrapping_add(rest);
    state.v[0] = state.v[0].wrapping_add(state.w[0]);
    state.w[0] = state.w[0].wrapping_add(state.v[0]);
    state.take(&text[text.len() - 64..], by, 9);
    let State { x, y, z, v, w } = state;
    joined(
        sum([joined(v[0], w[0], by), shift_mix(y).wrapping_mul(K0), z]),
        joined(v[1], w[1], by).wrapping_add(x),
        by,
    )
}

struct State {
    x: u64,
    y: u64,
    z: u64,
    v: [u64; 2],
    w: [u64; 2],
}

impl State {
    fn take(&mut self, block: &[u8], by: u64, nine: u64) {
        let State { x, y, z, v, w } = self;
        *x = sum([*x, *y, v[0], word(block, 8)]);
        *x = x.rotate_right(37).wrapping_mul(by);
        *y = sum([*y, v[1], word(block, 48)]);
        *y = y.rotate_right(42).wrapping_mul(by);
        *x ^= w[1].wrapping_mul(nine);
        *y = sum([*y, v[0].wrapping_mul(nine), word(block, 40)]);
        *z = z.wrapping_add(w[0]).rotate_right(33).wrapping_mul(by);
        *v = weak(block, v[1].wrapping_mul(by), x.wrapping_add(w[0]));
        let b = y.wrapping_add(word(block, 16));
        *w = weak(&block[32..], z.wrapping_add(w[1]), b);
        std::mem::swap(z, x);
    }
}

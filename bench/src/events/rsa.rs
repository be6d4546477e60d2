//! A test key that signs fast.
//!
//! Hundreds of thousands of deliveries are signed before a run. With two primes, as keys have them, that takes longer than the
//! run; with 32 primes of 64 bits it is a matter of seconds. Whoever verifies sees a modulus of 2048 bits and the exponent 65537
//! as ever, and has the same work. Of course such a key protects nothing.

use aws_lc_rs::digest::{SHA256, digest};

const PRIMES: usize = 32;
const LIMBS: usize = PRIMES;
const EXPONENT: u64 = 65_537;
/// The DER of a `DigestInfo` for SHA-256, without the digest (RFC 8017, 9.2).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// Little-endian.
type Number = [u64; LIMBS];

/// The key; the same in every run.
pub(crate) struct Key {
    modulus: Number,
    parts: Vec<Part>,
}

/// What a prime contributes to a signature (Chinese remainder theorem).
struct Part {
    prime: Prime,
    /// The private exponent modulo prime - 1.
    exponent: u64,
    /// The modulus divided by the prime.
    cofactor: Number,
    /// The inverse of that modulo the prime, in Montgomery form.
    inverse: u64,
}

impl Key {
    /// Makes the key.
    pub(crate) fn new() -> Self {
        let primes = primes();
        let modulus = primes.iter().fold(one(), |product, p| times(&product, p.0));
        let parts = primes.iter().map(|p| {
            let others = primes.iter().filter(|other| other.0 != p.0);
            let cofactor = others.fold(one(), |product, other| times(&product, other.0));
            let inverse = p.power(p.enter(p.remainder(&cofactor)), p.0 - 2);
            Part {
                exponent: inverse_of_exponent(p.0 - 1),
                cofactor,
                inverse,
                prime: Prime::new(p.0),
            }
        });
        let parts = parts.collect();
        Self { modulus, parts }
    }

    /// The modulus, big-endian.
    pub(crate) fn modulus(&self) -> Vec<u8> {
        bytes(&self.modulus)
    }

    /// The public exponent, big-endian.
    pub(crate) fn exponent(&self) -> Vec<u8> {
        EXPONENT.to_be_bytes()[5..].to_vec()
    }

    /// The RS256 signature of a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut padded = [0xff; LIMBS * 8];
        let digest = digest(&SHA256, message);
        let tail = DIGEST_INFO.len() + digest.as_ref().len();
        let start = padded.len() - tail;
        padded[..2].copy_from_slice(&[0, 1]);
        padded[start - 1] = 0;
        padded[start..start + DIGEST_INFO.len()].copy_from_slice(&DIGEST_INFO);
        padded[start + DIGEST_INFO.len()..].copy_from_slice(digest.as_ref());
        let mut message = [0; LIMBS];
        for (limb, bytes) in message.iter_mut().rev().zip(padded.chunks_exact(8)) {
            *limb = bytes.iter().fold(0, |number, b| number << 8 | u64::from(*b));
        }
        bytes(&self.root(&message))
    }

    fn root(&self, message: &Number) -> Number {
        let mut sum = [0; LIMBS];
        let mut above = 0;
        for part in &self.parts {
            let p = &part.prime;
            let root = p.power(p.enter(p.remainder(message)), part.exponent);
            // One factor in Montgomery form and one that is not make a product that is not.
            let factor = p.multiply(p.leave(root), part.inverse);
            let mut carry = 0;
            for (limb, other) in sum.iter_mut().zip(&part.cofactor) {
                let total = u128::from(*other) * u128::from(factor) + u128::from(*limb) + carry;
                *limb = total as u64;
                carry = total >> 64;
            }
            above += carry as u64;
        }
        while above > 0 || !is_less(&sum, &self.modulus) {
            let mut borrow = false;
            for (limb, other) in sum.iter_mut().zip(&self.modulus) {
                let (difference, first) = limb.overflowing_sub(*other);
                let (difference, second) = difference.overflowing_sub(u64::from(borrow));
                *limb = difference;
                borrow = first || second;
            }
            above -= u64::from(borrow);
        }
        sum
    }
}

/// An odd prime, with what Montgomery's multiplication needs.
struct Prime(u64, u64);

impl Prime {
    fn new(p: u64) -> Self {
        // Newton's iteration: each step doubles the bits that are right.
        let inverse = (0..6).fold(p, |x, _| x.wrapping_mul(2_u64.wrapping_sub(p.wrapping_mul(x))));
        Self(p, inverse.wrapping_neg())
    }

    fn reduce(&self, t: u128) -> u64 {
        let m = (t as u64).wrapping_mul(self.1);
        let (sum, carry) = t.overflowing_add(u128::from(m) * u128::from(self.0));
        let reduced = (sum >> 64) as u64;
        if carry || reduced >= self.0 {
            reduced.wrapping_sub(self.0)
        } else {
            reduced
        }
    }

    fn multiply(&self, a: u64, b: u64) -> u64 {
        self.reduce(u128::from(a) * u128::from(b))
    }

    fn enter(&self, a: u64) -> u64 {
        ((u128::from(a) << 64) % u128::from(self.0)) as u64
    }

    fn leave(&self, a: u64) -> u64 {
        self.reduce(u128::from(a))
    }

    /// Of a number in Montgomery form, which the result has too.
    fn power(&self, base: u64, exponent: u64) -> u64 {
        let mut result = self.enter(1);
        for bit in (0..64).rev() {
            result = self.multiply(result, result);
            if exponent >> bit & 1 == 1 {
                result = self.multiply(result, base);
            }
        }
        result
    }

    fn remainder(&self, number: &Number) -> u64 {
        number.iter().rev().fold(0, |rest, limb| {
            ((u128::from(rest) << 64 | u128::from(*limb)) % u128::from(self.0)) as u64
        })
    }

    /// Miller and Rabin's test; with these bases it is right for all numbers of 64 bits.
    fn is_prime(&self) -> bool {
        let (one, last) = (self.enter(1), self.enter(self.0 - 1));
        let twos = (self.0 - 1).trailing_zeros();
        [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]
            .into_iter()
            .all(|base| {
                let mut x = self.power(self.enter(base), (self.0 - 1) >> twos);
                x == one
                    || (0..twos).any(|_| {
                        let found = x == last;
                        x = self.multiply(x, x);
                        found
                    })
            })
    }
}

/// The same primes in every run, each so close to 2^64 that their product has 2048 bits.
fn primes() -> Vec<Prime> {
    let mut state = 0x0063_6861_7462_7269_u64;
    let candidates = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Prime::new((state ^ state >> 29) | 0xfc00_0000_0000_0001)
    });
    candidates
        .filter(|p| (p.0 - 1) % EXPONENT != 0 && p.is_prime())
        .take(PRIMES)
        .collect()
}

/// The inverse of the public exponent.
fn inverse_of_exponent(modulus: u64) -> u64 {
    // The exponent is small: some multiple of the modulus, and one, is its multiple.
    let (exponent, modulus) = (u128::from(EXPONENT), u128::from(modulus));
    let found = (1..exponent).find(|k| (k * modulus + 1) % exponent == 0);
    found.map_or(0, |k| ((k * modulus + 1) / exponent) as u64)
}

fn one() -> Number {
    let mut one = [0; LIMBS];
    one[0] = 1;
    one
}

fn times(number: &Number, factor: u64) -> Number {
    let mut carry = 0;
    number.map(|limb| {
        let total = u128::from(limb) * u128::from(factor) + carry;
        carry = total >> 64;
        total as u64
    })
}

fn is_less(a: &Number, b: &Number) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn bytes(number: &Number) -> Vec<u8> {
    number.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use aws_lc_rs::{rsa::PublicKeyComponents, signature::RSA_PKCS1_2048_8192_SHA256};

    use super::*;

    #[test]
    fn what_it_signs_verifies_and_nothing_else_does() {
        let key = Key::new();
        let public = PublicKeyComponents {
            n: key.modulus(),
            e: key.exponent(),
        };
        assert_eq!(public.n[0] >> 7, 1, "the modulus has 2048 bits");
        for i in 0..50 {
            let message = format!("message {i}");
            let signature = key.sign(message.as_bytes());
            let verify = |message: &[u8]| public.verify(&RSA_PKCS1_2048_8192_SHA256, message, &signature);
            verify(message.as_bytes()).unwrap();
            verify(b"another").unwrap_err();
        }
    }
}

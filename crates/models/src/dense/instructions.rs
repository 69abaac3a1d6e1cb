//! With which of this machine's instructions is a piece of work done?

use super::lanes::{Lanes, Plain};

/// The numbers of single precision that are worked on at once.
pub(crate) const SINGLES: usize = 16;
/// The numbers of double precision that are worked on at once.
pub(crate) const DOUBLES: usize = 8;

/// A set of instructions, as far as what is compiled for it must know of it.
pub(crate) trait Instructions {
    type Singles: Lanes<f32, SINGLES>;
    type Doubles: Lanes<f64, DOUBLES>;
    /// Whether there are registers for a whole tile.
    const WIDE: bool;
}

/// Work whose loops are compiled for each set of instructions.
///
/// All that it calls must be `#[inline(always)]`, and no closure may be given away: what is not inlined is compiled
/// without the instructions.
pub(crate) trait Work {
    type Output;
    fn run<I: Instructions>(self) -> Self::Output;
}

/// Does the work with the widest instructions that this machine has.
///
/// Sums may differ in their last bits between machines of different instructions, never on one machine.
pub(crate) fn run<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        let fused = std::arch::is_x86_feature_detected!("fma");
        if fused && std::arch::is_x86_feature_detected!("avx512f") {
            #[expect(
                unsafe_code,
                reason = "compiled for instructions that not every machine has"
            )]
            // SAFETY: AVX-512F and FMA were seen just now.
            return unsafe { x86::avx512(work) };
        }
        if fused && std::arch::is_x86_feature_detected!("avx2") {
            #[expect(
                unsafe_code,
                reason = "compiled for instructions that not every machine has"
            )]
            // SAFETY: AVX2 and FMA were seen just now.
            return unsafe { x86::avx2(work) };
        }
    }
    work.run::<Portable>()
}

/// Does the work with each set of instructions that this machine has, the plainest first.
#[cfg(test)]
pub(crate) fn with_each<W: Work + Clone>(work: &W) -> Vec<W::Output> {
    let mut found = vec![work.clone().run::<Portable>()];
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("fma") {
        if std::arch::is_x86_feature_detected!("avx2") {
            #[expect(unsafe_code, reason = "as in `run`")]
            // SAFETY: AVX2 and FMA were seen just now.
            found.push(unsafe { x86::avx2(work.clone()) });
        }
        if std::arch::is_x86_feature_detected!("avx512f") {
            #[expect(unsafe_code, reason = "as in `run`")]
            // SAFETY: AVX-512F and FMA were seen just now.
            found.push(unsafe { x86::avx512(work.clone()) });
        }
    }
    found
}

/// What every machine of the architecture has.
pub(crate) struct Portable;

impl Instructions for Portable {
    type Singles = Plain<f32, SINGLES>;
    type Doubles = Plain<f64, DOUBLES>;
    const WIDE: bool = cfg!(target_arch = "aarch64");
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::lanes::x86::{Doubles256, Doubles512, Singles256, Singles512};
    use super::{Instructions, Work};

    struct Avx2;

    impl Instructions for Avx2 {
        type Singles = Singles256;
        type Doubles = Doubles256;
        const WIDE: bool = false;
    }

    struct Avx512;

    impl Instructions for Avx512 {
        type Singles = Singles512;
        type Doubles = Doubles512;
        const WIDE: bool = true;
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2<W: Work>(work: W) -> W::Output {
        work.run::<Avx2>()
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    pub(super) fn avx512<W: Work>(work: W) -> W::Output {
        work.run::<Avx512>()
    }
}

//! With which of this machine's instructions is a piece of work done?

/// A set of instructions, as far as plain code must know of it.
pub(crate) trait Instructions {
    /// Whether a product is added without a rounding in between.
    const FUSED: bool;
    /// Whether there are registers for a whole tile.
    const WIDE: bool;
}

/// Work whose loops are compiled for each set of instructions; all that it calls must be `#[inline(always)]`.
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

/// What every machine of the architecture has.
pub(crate) struct Portable;

impl Instructions for Portable {
    const FUSED: bool = cfg!(target_arch = "aarch64");
    const WIDE: bool = cfg!(target_arch = "aarch64");
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Instructions, Work};

    struct Avx2;

    impl Instructions for Avx2 {
        const FUSED: bool = true;
        const WIDE: bool = false;
    }

    struct Avx512;

    impl Instructions for Avx512 {
        const FUSED: bool = true;
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

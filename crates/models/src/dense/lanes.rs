//! How are a few numbers worked on at once?

/// `N` numbers in as many registers as the instructions need.
///
/// All that is done to them is inlined, and none of it in a closure: a closure that another function calls is
/// compiled without the instructions, at a tenth of the speed.
pub(crate) trait Lanes<T, const N: usize>: Copy {
    /// The same number in every lane.
    fn all(number: T) -> Self;
    fn of(numbers: &[T; N]) -> Self;
    fn to(self, numbers: &mut [T; N]);
    fn plus(self, other: Self) -> Self;
    /// `self · by + to`, rounded once where the instructions can.
    fn times_plus(self, by: Self, to: Self) -> Self;
}

/// Lanes for every machine.
#[derive(Clone, Copy)]
pub(crate) struct Plain<T, const N: usize>([T; N]);

macro_rules! plain {
    ($($number:ty),*) => {$(
        impl<const N: usize> Lanes<$number, N> for Plain<$number, N> {
            #[inline(always)]
            fn all(number: $number) -> Self {
                Self([number; N])
            }

            #[inline(always)]
            fn of(numbers: &[$number; N]) -> Self {
                Self(*numbers)
            }

            #[inline(always)]
            fn to(self, numbers: &mut [$number; N]) {
                *numbers = self.0;
            }

            #[inline(always)]
            fn plus(mut self, other: Self) -> Self {
                for (own, other) in self.0.iter_mut().zip(other.0) {
                    *own += other;
                }
                self
            }

            #[inline(always)]
            fn times_plus(self, by: Self, mut to: Self) -> Self {
                // Without an instruction for it, adding without a rounding in between is a call.
                const FUSED: bool = cfg!(target_arch = "aarch64");
                for (to, (own, by)) in to.0.iter_mut().zip(self.0.into_iter().zip(by.0)) {
                    *to = if FUSED { own.mul_add(by, *to) } else { own * by + *to };
                }
                to
            }
        }
    )*};
}
plain!(f32, f64);

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    #![expect(unsafe_code, reason = "intrinsics; plain lanes are held equal by a property test")]

    use std::arch::x86_64::*;

    use super::Lanes;

    /// Lanes of which each of `$registers` registers holds `$width`.
    ///
    /// Only [`run`](crate::dense::run) names them, once it has seen that the machine has the instructions.
    macro_rules! registers {
        (
            $name:ident: $number:ty, $registers:literal x $width:literal $register:ty,
            $all:ident $load:ident $store:ident $add:ident $fused:ident
        ) => {
            #[derive(Clone, Copy)]
            pub(crate) struct $name([$register; $registers]);

            impl Lanes<$number, { $registers * $width }> for $name {
                #[inline(always)]
                fn all(number: $number) -> Self {
                    // SAFETY: the machine has the instructions.
                    Self([unsafe { $all(number) }; $registers])
                }

                #[inline(always)]
                fn of(numbers: &[$number; $registers * $width]) -> Self {
                    let mut own = Self::all(0.0);
                    for (own, part) in own.0.iter_mut().zip(numbers.as_chunks::<$width>().0) {
                        // SAFETY: the machine has the instructions, and a part is as wide as a register.
                        *own = unsafe { $load(part.as_ptr()) };
                    }
                    own
                }

                #[inline(always)]
                fn to(self, numbers: &mut [$number; $registers * $width]) {
                    for (own, part) in self.0.iter().zip(numbers.as_chunks_mut::<$width>().0) {
                        // SAFETY: the machine has the instructions, and a part is as wide as a register.
                        unsafe { $store(part.as_mut_ptr(), *own) };
                    }
                }

                #[inline(always)]
                fn plus(mut self, other: Self) -> Self {
                    for (own, other) in self.0.iter_mut().zip(other.0) {
                        // SAFETY: the machine has the instructions.
                        *own = unsafe { $add(*own, other) };
                    }
                    self
                }

                #[inline(always)]
                fn times_plus(self, by: Self, mut to: Self) -> Self {
                    for (to, (own, by)) in to.0.iter_mut().zip(self.0.iter().zip(by.0)) {
                        // SAFETY: the machine has the instructions.
                        *to = unsafe { $fused(*own, by, *to) };
                    }
                    to
                }
            }
        };
    }

    registers! {
        Singles512: f32, 1 x 16 __m512,
        _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_fmadd_ps
    }
    registers! {
        Doubles512: f64, 1 x 8 __m512d,
        _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_fmadd_pd
    }
    registers! {
        Singles256: f32, 2 x 8 __m256,
        _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_fmadd_ps
    }
    registers! {
        Doubles256: f64, 2 x 4 __m256d,
        _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_fmadd_pd
    }
}

/**
 * The oracle: every {@link io.penstock.tensor.Backend} operation as the plainest loop that is right, kept for ever. The other backends are held to it.
 *
 * <p>Numbers: operands are widened to double, the whole operation runs in double, and each output element is rounded once, to its tensor's dtype (BF16
 * and F16 by way of F32); where the contract names an intermediate rounding (the sum of addLayerNorm, the working weight of AdamW) it is made. So an F64 run is a
 * plain double computation, fit for gradient checks. Owns no memory and no threads; allocates scratch freely, which no other backend may. Must not
 * know the other backends.
 *
 * <p>Read first: {@link io.penstock.tensor.reference.ReferenceBackend}, {@code ReferenceMatrix}, {@code ReferenceAttention}.
 */
@NullMarked
package io.penstock.tensor.reference;

import org.jspecify.annotations.NullMarked;

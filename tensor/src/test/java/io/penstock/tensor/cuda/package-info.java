/**
 * The CUDA backend without a GPU: {@code HostGpu} compiles the kernels' own sources with the host's compiler and plays a GPU, so that the whole contract of
 * {@link io.penstock.tensor.Backend} runs on them; the committed PTX is rebuilt, compared and assembled; libraries are stand-ins compiled here.
 *
 * <p>Tests that need a compiler, or a card ({@code @Tag("gpu")}), say so where they are skipped.
 *
 * <p>Read first: {@code HostGpuBackendTest}, {@code HostGpu}, {@code PtxTest}.
 */
@NullMarked
package io.penstock.tensor.cuda;

import org.jspecify.annotations.NullMarked;

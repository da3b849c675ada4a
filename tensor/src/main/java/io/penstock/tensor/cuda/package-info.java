/**
 * The backend for NVIDIA GPUs: our own kernels ({@code src/main/cuda}, committed as PTX), cuBLAS for matrix products, the driver's API through JCuda.
 *
 * <p>Owns the device's context and stream, the kernels' launches (grids, shared memory, workspace), and how libraries are found. Must not know models or
 * ranks. Only {@code JCudaGpu} and its helpers touch JCuda; nothing here is loaded unless a run asks for device {@code cuda}, {@code
 * CudaProbe} and {@code Nvml} excepted, which need no JCuda. Threads: one at a time calls a backend; operations return before the device has done them.
 *
 * <p>Everything above {@code Gpu} is tested without a GPU: {@code HostGpu} of the tests runs the same kernel sources on the host.
 *
 * <p>Read first: {@link io.penstock.tensor.cuda.CudaBackend}, {@code Gpu}, {@code Launcher}; {@code src/main/cuda/device.cuh}.
 */
@NullMarked
package io.penstock.tensor.cuda;

import org.jspecify.annotations.NullMarked;

package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.runtime.cudaStream_t;

/** Matrix products of one stream by cuBLAS. One stream and a workspace of our own: the same bits from run to run. */
final class CublasProducts implements AutoCloseable {
    private static final float ALPHA = 1;

    private final cublasHandle handle = new cublasHandle();
    private final DeviceAddress a = new DeviceAddress();
    private final DeviceAddress b = new DeviceAddress();
    private final DeviceAddress c = new DeviceAddress();
    private final DeviceAddress workspace = new DeviceAddress();
    private final Pointer alpha = scalar(ALPHA);
    private final Pointer zero = scalar(0);
    private final Pointer one = scalar(1);
    private final int version;

    CublasProducts(CUstream stream) {
        JCublas2.setExceptionsEnabled(true);
        JCublas2.cublasCreate(handle);
        // a driver stream is a runtime stream
        JCublas2.cublasSetStream(handle, new cudaStream_t(stream));
        int[] value = new int[1];
        JCublas2.cublasGetVersion(handle, value);
        version = value[0];
    }

    String description() {
        return "cuBLAS " + version / 10000 + "." + version / 100 % 100;
    }

    private static Pointer scalar(float value) {
        return Pointer.to(ByteBuffer.allocateDirect(Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .putFloat(0, value));
    }

    void multiply(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            DType operands,
            long aAddress,
            int lda,
            long bAddress,
            int ldb,
            float beta,
            DType result,
            long cAddress,
            int ldc,
            long workspaceAddress,
            long workspaceBytes) {
        if (workspace.address() != workspaceAddress) {
            JCublas2.cublasSetWorkspace(handle, workspace.at(workspaceAddress), workspaceBytes);
        }
        int type = type(operands);
        // the entry point of CUDA 11 and later; JCuda's plain name translates older compute types, in a fresh array
        JCublas2.cublasGemmEx_new(
                handle,
                operation(transposeA),
                operation(transposeB),
                m,
                n,
                k,
                alpha,
                a.at(aAddress),
                type,
                lda,
                b.at(bAddress),
                type,
                ldb,
                beta == 0 ? zero : one,
                c.at(cAddress),
                type(result),
                ldc,
                cublasComputeType.CUBLAS_COMPUTE_32F,
                cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
    }

    private static int operation(boolean transpose) {
        return transpose ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    }

    private static int type(DType dtype) {
        return switch (dtype) {
            case F32 -> cudaDataType.CUDA_R_32F;
            case BF16 -> cudaDataType.CUDA_R_16BF;
            case F16 -> cudaDataType.CUDA_R_16F;
            case F64, I32 ->
                throw new IllegalStateException("the cuda backend multiplies F32, BF16 and F16, not " + dtype);
        };
    }

    @Override
    public void close() {
        JCublas2.cublasDestroy(handle);
    }
}

// A stand-in for libcuda.so.1 and libcublas.so.*, for tests of the calls that reach them through JCuda: "device" memory is the host's, kernels are those of
// the library named by PENSTOCK_HOST_KERNELS (compiled for the host), a stream does its work at once. Signatures follow cuda.h and cublas_v2.h.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

typedef int CUresult;
typedef unsigned long long CUdeviceptr;
static const CUresult SUCCESS = 0, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NOT_FOUND = 500, INVALID_VALUE = 1;

static const size_t TOTAL_BYTES = (size_t)1 << 30;
static size_t used_bytes = 0;
static bool initialized = false, current = false;

struct Launch {
    unsigned grid[3], threads, shared_bytes, backward;
};

// What a kernel may ask for without an attribute, and what it was allowed by one.
struct Function {
    void (*run)(const Launch *, const void *, unsigned);
    unsigned allowed_shared;
};

extern "C" {

CUresult cuInit(unsigned flags) {
    initialized = true;
    return flags == 0 ? SUCCESS : INVALID_VALUE;
}
CUresult cuDriverGetVersion(int *version) {
    *version = 13000;
    return SUCCESS;
}
CUresult cuDeviceGetCount(int *count) {
    *count = 1;
    return initialized ? SUCCESS : NOT_INITIALIZED;
}
CUresult cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal == 0 ? SUCCESS : INVALID_VALUE;
}
CUresult cuDeviceGetName(char *name, int bytes, int device) {
    snprintf(name, (size_t)bytes, "Stand-in GPU");
    return SUCCESS;
}
CUresult cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 9 : 0;
    return SUCCESS;
}
CUresult cuDeviceTotalMem_v2(size_t *bytes, int device) {
    *bytes = TOTAL_BYTES;
    return SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(void **context, int device) {
    *context = &current;
    return SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease_v2(int device) { return SUCCESS; }
CUresult cuCtxSetCurrent(void *context) {
    current = context == &current;
    return current ? SUCCESS : INVALID_VALUE;
}
CUresult cuStreamCreate(void **stream, unsigned flags) {
    *stream = malloc(1);
    return current ? SUCCESS : NOT_INITIALIZED;
}
CUresult cuStreamDestroy_v2(void *stream) {
    free(stream);
    return SUCCESS;
}
CUresult cuStreamSynchronize(void *stream) { return SUCCESS; }
CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t bytes) {
    if (bytes > TOTAL_BYTES - used_bytes) {
        return OUT_OF_MEMORY;
    }
    // as the driver aligns; the size lies before it
    char *block = (char *)aligned_alloc(256, (bytes + 511) / 256 * 256);
    memset(block, 0xaa, (bytes + 511) / 256 * 256);
    *(size_t *)block = bytes;
    used_bytes += bytes;
    *p = (CUdeviceptr)(block + 256);
    return SUCCESS;
}
CUresult cuMemFree_v2(CUdeviceptr p) {
    char *block = (char *)p - 256;
    used_bytes -= *(size_t *)block;
    free(block);
    return SUCCESS;
}
CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    *free_bytes = TOTAL_BYTES - used_bytes;
    *total = TOTAL_BYTES;
    return SUCCESS;
}
CUresult cuMemHostAlloc(void **p, size_t bytes, unsigned flags) {
    *p = malloc(bytes);
    return SUCCESS;
}
CUresult cuMemFreeHost(void *p) {
    free(p);
    return SUCCESS;
}
CUresult cuMemsetD8Async(CUdeviceptr p, unsigned char value, size_t bytes, void *stream) {
    memset((void *)p, value, bytes);
    return SUCCESS;
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, void *stream) {
    memcpy((void *)to, from, bytes);
    return SUCCESS;
}
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, void *stream) {
    memcpy(to, (const void *)from, bytes);
    return SUCCESS;
}
CUresult cuModuleLoadData(void **module, const void *image) {
    // PTX as text, with its zero
    *module = dlopen(getenv("PENSTOCK_HOST_KERNELS"), RTLD_NOW | RTLD_LOCAL);
    return *module && strstr((const char *)image, ".visible .entry") ? SUCCESS : INVALID_VALUE;
}
CUresult cuModuleUnload(void *module) {
    dlclose(module);
    return SUCCESS;
}
CUresult cuModuleGetFunction(void **function, void *module, const char *name) {
    void *run = dlsym(module, name);
    *function = new Function{(void (*)(const Launch *, const void *, unsigned))run, 48 << 10};
    return run ? SUCCESS : NOT_FOUND;
}
CUresult cuFuncSetAttribute(void *function, int attribute, int value) {
    ((Function *)function)->allowed_shared = (unsigned)value;
    return attribute == 8 && value <= 227 << 10 ? SUCCESS : INVALID_VALUE;
}
CUresult cuLaunchKernel(void *f, unsigned x, unsigned y, unsigned z, unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared, void *stream,
                        void **parameters, void **extra) {
    Function *function = (Function *)f;
    if (!current || !stream || block_y != 1 || block_z != 1 || shared > function->allowed_shared) {
        return INVALID_VALUE;
    }
    Launch launch = {{x, y, z}, block_x, shared, 0};
    function->run(&launch, parameters[0], 0);
    return SUCCESS;
}

// ---- cuBLAS ----

int cublasCreate_v2(void **handle) {
    *handle = malloc(1);
    return 0;
}
int cublasDestroy_v2(void *handle) {
    free(handle);
    return 0;
}
int cublasSetStream_v2(void *handle, void *stream) { return stream ? 0 : 7; }
int cublasGetVersion_v2(void *handle, int *version) {
    *version = 130002;
    return 0;
}
int cublasSetWorkspace_v2(void *handle, void *workspace, size_t bytes) { return (uintptr_t)workspace % 64 == 0 ? 0 : 7; }

static float get(const void *x, int type, int64_t i) {
    if (type == 0) {
        return ((const float *)x)[i];
    }
    uint32_t bits = (uint32_t)((const uint16_t *)x)[i] << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
static void put(void *x, int type, int64_t i, float value) {
    if (type == 0) {
        ((float *)x)[i] = value;
        return;
    }
    uint32_t bits;
    memcpy(&bits, &value, 4);
    ((uint16_t *)x)[i] = (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// C = alpha op(A) op(B) + beta C, column-major; types 0 (f32) and 14 (bf16), computation 68 (f32).
int cublasGemmEx(void *handle, int op_a, int op_b, int m, int n, int k, const void *alpha, const void *a, int type_a, int lda, const void *b, int type_b,
                 int ldb, const void *beta, void *c, int type_c, int ldc, int compute, int algorithm) {
    bool known = (type_a == 0 || type_a == 14) && type_a == type_b && (type_c == 0 || type_c == type_a) && compute == 68 && algorithm == -1;
    if (!known || lda < (op_a ? k : m) || ldb < (op_b ? n : k) || ldc < m) {
        return 7; // CUBLAS_STATUS_INVALID_VALUE
    }
    for (int j = 0; j < n; j++) {
        for (int i = 0; i < m; i++) {
            float sum = 0;
            for (int l = 0; l < k; l++) {
                sum += get(a, type_a, op_a ? l + (int64_t)i * lda : i + (int64_t)l * lda) * get(b, type_b, op_b ? j + (int64_t)l * ldb : l + (int64_t)j * ldb);
            }
            int64_t at = i + (int64_t)j * ldc;
            sum *= *(const float *)alpha;
            put(c, type_c, at, *(const float *)beta == 0 ? sum : sum + *(const float *)beta * get(c, type_c, at));
        }
    }
    return 0;
}
}

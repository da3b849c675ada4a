// A stand-in for libcuda.so.1 and libcublas.so.*, for tests of the calls that reach them through JCuda: "device" memory is the host's, kernels are those of
// the library named by PENSTOCK_HOST_KERNELS (compiled for the host). A stream does its work as late as it may: when somebody waits for it. So work that
// relies on an order that nobody asked for meets memory as it was before. Signatures follow cuda.h and cublas_v2.h.
#include "half.h"
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dlfcn.h>
#include <functional>
#include <vector>

typedef int CUresult;
typedef unsigned long long CUdeviceptr;
static const CUresult SUCCESS = 0, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NOT_FOUND = 500, NOT_READY = 600, INVALID_VALUE = 1;

static const size_t TOTAL_BYTES = (size_t)1 << 30;
static std::atomic<size_t> used_bytes{0};
static std::atomic<bool> initialized{false};
static int the_context;
static thread_local bool current = false;

// Work of one thread; its streams wait for each other only.
struct Stream {
    std::deque<std::function<void()>> work;
    long asked = 0, done = 0;

    void add(std::function<void()> item) {
        work.push_back(std::move(item));
        asked++;
    }
    void run_to(long place) {
        while (done < place) {
            std::function<void()> item = std::move(work.front());
            work.pop_front();
            done++;
            item();
        }
    }
};

static thread_local std::vector<Stream *> streams;

struct Event {
    Stream *stream = nullptr;
    long place = 0;
    int asked = 0;
};

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
    *context = &the_context;
    return SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease_v2(int device) { return SUCCESS; }
CUresult cuCtxSetCurrent(void *context) {
    current = context == &the_context;
    return current ? SUCCESS : INVALID_VALUE;
}
CUresult cuStreamCreate(void **stream, unsigned flags) {
    streams.push_back(new Stream);
    *stream = streams.back();
    return current ? SUCCESS : NOT_INITIALIZED;
}
CUresult cuStreamSynchronize(void *stream) {
    ((Stream *)stream)->run_to(((Stream *)stream)->asked);
    return SUCCESS;
}
CUresult cuStreamDestroy_v2(void *stream) {
    cuStreamSynchronize(stream);
    for (size_t i = 0; i < streams.size(); i++) {
        if (streams[i] == stream) {
            streams.erase(streams.begin() + (long)i);
        }
    }
    delete (Stream *)stream;
    return SUCCESS;
}
CUresult cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
    // the event as it is now: it may be recorded again
    Event then = *(Event *)event;
    ((Stream *)stream)->add([then] {
        if (then.stream) {
            then.stream->run_to(then.place);
        }
    });
    return SUCCESS;
}
CUresult cuEventCreate(void **event, unsigned flags) {
    *event = new Event;
    return current ? SUCCESS : NOT_INITIALIZED;
}
CUresult cuEventDestroy_v2(void *event) {
    delete (Event *)event;
    return SUCCESS;
}
CUresult cuEventRecord(void *event, void *stream) {
    *(Event *)event = {(Stream *)stream, ((Stream *)stream)->asked, 0};
    return SUCCESS;
}
CUresult cuEventSynchronize(void *event) {
    Event *e = (Event *)event;
    if (e->stream) {
        e->stream->run_to(e->place);
    }
    return SUCCESS;
}
CUresult cuEventQuery(void *event) {
    Event *e = (Event *)event;
    if (!e->stream || e->stream->done >= e->place) {
        return SUCCESS;
    }
    if (++e->asked < 3) {
        return NOT_READY;
    }
    return cuEventSynchronize(event);
}
CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t bytes) {
    if (bytes > TOTAL_BYTES - used_bytes) {
        return OUT_OF_MEMORY;
    }
    // as the driver aligns; the size lies before it
    char *block = (char *)aligned_alloc(256, (bytes + 511) / 256 * 256);
    memset(block, 0xaa, bytes < (4 << 20) ? (bytes + 511) / 256 * 256 : 4 << 20);
    *(size_t *)block = bytes;
    used_bytes += bytes;
    *p = (CUdeviceptr)(block + 256);
    return SUCCESS;
}
CUresult cuMemFree_v2(CUdeviceptr p) {
    for (Stream *stream : streams) {
        cuStreamSynchronize(stream); // as the driver does
    }
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
CUresult cuMemHostRegister_v2(void *p, size_t bytes, unsigned flags) { return p && bytes ? SUCCESS : INVALID_VALUE; }
CUresult cuMemHostUnregister(void *p) { return SUCCESS; }
CUresult cuMemFreeHost(void *p) {
    free(p);
    return SUCCESS;
}
CUresult cuMemsetD8Async(CUdeviceptr p, unsigned char value, size_t bytes, void *stream) {
    ((Stream *)stream)->add([=] { memset((void *)p, value, bytes); });
    return SUCCESS;
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, void *stream) {
    ((Stream *)stream)->add([=] { memcpy((void *)to, from, bytes); });
    return SUCCESS;
}
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, void *stream) {
    ((Stream *)stream)->add([=] { memcpy(to, (const void *)from, bytes); });
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
    struct Arguments {
        char bytes[256];
    } arguments;
    memcpy(&arguments, parameters[0], sizeof(arguments));
    ((Stream *)stream)->add([=] { function->run(&launch, &arguments, 0); });
    return SUCCESS;
}

// ---- cuBLAS ----

int cublasCreate_v2(void **handle) {
    *handle = new Stream *;
    return 0;
}
int cublasDestroy_v2(void *handle) {
    delete (Stream **)handle;
    return 0;
}
int cublasSetStream_v2(void *handle, void *stream) {
    *(Stream **)handle = (Stream *)stream;
    return stream ? 0 : 7;
}
int cublasGetVersion_v2(void *handle, int *version) {
    *version = 130002;
    return 0;
}
int cublasSetWorkspace_v2(void *handle, void *workspace, size_t bytes) { return (uintptr_t)workspace % 64 == 0 ? 0 : 7; }

static float get(const void *x, int type, int64_t i) {
    if (type == 0) {
        return ((const float *)x)[i];
    }
    if (type == 2) {
        return host::from_half(((const uint16_t *)x)[i]);
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
    if (type == 2) {
        ((uint16_t *)x)[i] = host::to_half(value);
        return;
    }
    uint32_t bits;
    memcpy(&bits, &value, 4);
    ((uint16_t *)x)[i] = (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// C = alpha op(A) op(B) + beta C, column-major; types 0 (f32), 2 (f16) and 14 (bf16), computation 68 (f32).
int cublasGemmEx(void *handle, int op_a, int op_b, int m, int n, int k, const void *alpha, const void *a, int type_a, int lda, const void *b, int type_b,
                 int ldb, const void *beta, void *c, int type_c, int ldc, int compute, int algorithm) {
    bool known = (type_a == 0 || type_a == 2 || type_a == 14) && type_a == type_b && (type_c == 0 || type_c == type_a) && compute == 68 && algorithm == -1;
    if (!known || lda < (op_a ? k : m) || ldb < (op_b ? n : k) || ldc < m) {
        return 7; // CUBLAS_STATUS_INVALID_VALUE
    }
    float scale = *(const float *)alpha, keep = *(const float *)beta;
    (*(Stream **)handle)->add([=] {
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < m; i++) {
                float sum = 0;
                for (int l = 0; l < k; l++) {
                    sum += get(a, type_a, op_a ? l + (int64_t)i * lda : i + (int64_t)l * lda) * get(b, type_b, op_b ? j + (int64_t)l * ldb : l + (int64_t)j * ldb);
                }
                int64_t at = i + (int64_t)j * ldc;
                sum *= scale;
                put(c, type_c, at, keep == 0 ? sum : sum + keep * get(c, type_c, at));
            }
        }
    });
    return 0;
}
}

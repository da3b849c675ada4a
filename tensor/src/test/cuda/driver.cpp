// A stand-in for libcuda.so.1 and libcublas.so.*, for tests of the calls that reach them through JCuda: "device" memory is the host's, kernels are those of
// the library named by PENSTOCK_HOST_KERNELS (compiled for the host), there are PENSTOCK_STAND_IN_DEVICES of them (one if that is not set), and others leave
// PENSTOCK_STAND_IN_FREE_BYTES of the memory of each (all if that is not set). Host memory that was not mapped is out of a device's reach. A stream does its
// work as late as it may: when somebody waits for it. So work that relies on an order that nobody asked for meets memory as it was before. Signatures follow
// cuda.h and cublas_v2.h.
#include "half.h"
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dlfcn.h>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

typedef int CUresult;
typedef unsigned long long CUdeviceptr;
static const CUresult SUCCESS = 0, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700,
                      INVALID_VALUE = 1, PEER_ACCESS_ALREADY_ENABLED = 704;

static const size_t TOTAL_BYTES = (size_t)1 << 30;
static const int MOST_DEVICES = 8;
static std::atomic<bool> initialized{false};

struct Context {
    int device;
    size_t used_bytes;
    bool peers[MOST_DEVICES];
};
static Context contexts[MOST_DEVICES] = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};
static thread_local Context *current = nullptr;

// What threads share. Each of these libraries has one; streams use that of the driver that made them.
struct Machine {
    std::mutex lock;
    std::condition_variable changed;
    // device memory: its first byte, how many, of which device
    struct Block {
        size_t bytes;
        int device;
    };
    std::map<CUdeviceptr, Block> memory;
    // pinned host memory: its first byte, how many, the flags that it was registered with
    struct Pinned {
        size_t bytes;
        unsigned flags;
    };
    std::map<CUdeviceptr, Pinned> pinned;
    // a copy met memory that was freed
    bool broken = false;
    // test controls: streams but a thread's first do their work at once; the n-th wait of a stream for an event is left out
    bool eager = false;
    long waits = 0, lost_wait = 0;

    // Under the lock.
    bool holds(CUdeviceptr from, size_t bytes, int device) {
        auto next = memory.upper_bound(from);
        if (next == memory.begin()) {
            return false;
        }
        auto block = *std::prev(next);
        return from + bytes <= block.first + block.second.bytes && block.second.device == device;
    }

    // Whether a device may use an address: not if it is that of pinned memory that was not mapped for devices.
    bool reaches(CUdeviceptr address) {
        std::lock_guard<std::mutex> guard(lock);
        auto next = pinned.upper_bound(address);
        if (next == pinned.begin()) {
            return true;
        }
        auto block = *std::prev(next);
        return address >= block.first + block.second.bytes || (block.second.flags & 2) != 0; // CU_MEMHOSTREGISTER_DEVICEMAP
    }
};
static Machine machine;

// Work in order, done by whoever waits for it. Streams are never deleted: events of other threads may name them.
struct Stream {
    Machine *shared;
    Context *context;
    bool first_of_thread;
    std::deque<std::function<void()>> work;
    long asked = 0, done = 0;
    bool running = false;

    void add(std::function<void()> item) {
        bool now;
        long place;
        {
            std::lock_guard<std::mutex> guard(shared->lock);
            work.push_back(std::move(item));
            place = ++asked;
            now = shared->eager && !first_of_thread;
        }
        if (now) {
            run_to(place);
        }
    }
    // Each item waits only for what was asked before it, so that threads which run streams for each other do not wait in a ring.
    void run_to(long place) {
        std::unique_lock<std::mutex> hold(shared->lock);
        while (done < place) {
            if (running) {
                shared->changed.wait(hold);
                continue;
            }
            running = true;
            std::function<void()> item = std::move(work.front());
            work.pop_front();
            hold.unlock();
            item();
            hold.lock();
            running = false;
            done++;
            shared->changed.notify_all();
        }
    }
    long all() {
        std::lock_guard<std::mutex> guard(shared->lock);
        return asked;
    }
};

static thread_local std::vector<Stream *> streams;

// How often this thread has waited for work that was not done.
static thread_local long host_waits = 0;

static void wait_for(Stream *stream, long place) {
    {
        std::lock_guard<std::mutex> guard(stream->shared->lock);
        host_waits += stream->done < place;
    }
    stream->run_to(place);
}

struct Event {
    Context *context;
    bool timed;
    Stream *stream = nullptr;
    long place = 0;
    int asked = 0;
    double seconds = 0;
};

static CUresult state() {
    std::lock_guard<std::mutex> guard(machine.lock);
    return machine.broken ? ILLEGAL_ADDRESS : SUCCESS;
}

static size_t usable_bytes() {
    const char *left = getenv("PENSTOCK_STAND_IN_FREE_BYTES");
    return left ? (size_t)atoll(left) : TOTAL_BYTES;
}

static int devices() {
    const char *number = getenv("PENSTOCK_STAND_IN_DEVICES");
    return number ? atoi(number) : 1;
}

static bool is_current(void *stream) { return current && ((Stream *)stream)->context == current; }

struct Launch {
    unsigned grid[3], threads, shared_bytes, backward;
};

// What a kernel may ask for without an attribute, and what it was allowed by one.
struct Function {
    void (*run)(const Launch *, const void *, unsigned);
    unsigned allowed_shared, argument_bytes;
};

static const size_t MOST_ARGUMENT_BYTES = 1024;

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
    *count = devices();
    return initialized ? SUCCESS : NOT_INITIALIZED;
}
CUresult cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal >= 0 && ordinal < devices() ? SUCCESS : INVALID_VALUE;
}
CUresult cuDeviceGetName(char *name, int bytes, int device) {
    snprintf(name, (size_t)bytes, "Stand-in GPU");
    return SUCCESS;
}
CUresult cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 9 : attribute == 91; // compute capability 9.0; registered host memory has one address
    return SUCCESS;
}
CUresult cuDeviceTotalMem_v2(size_t *bytes, int device) {
    *bytes = TOTAL_BYTES;
    return SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(void **context, int device) {
    *context = &contexts[device];
    return SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease_v2(int device) { return SUCCESS; }
CUresult cuCtxSetCurrent(void *context) {
    current = (Context *)context;
    return current ? SUCCESS : INVALID_VALUE;
}
CUresult cuDeviceCanAccessPeer(int *can, int device, int peer) {
    *can = device != peer;
    return SUCCESS;
}
CUresult cuCtxEnablePeerAccess(void *peer, unsigned flags) {
    std::lock_guard<std::mutex> guard(machine.lock);
    bool &enabled = current->peers[((Context *)peer)->device];
    if (enabled) {
        return PEER_ACCESS_ALREADY_ENABLED;
    }
    enabled = true;
    return peer != current && flags == 0 ? SUCCESS : INVALID_VALUE;
}
CUresult cuStreamCreate(void **stream, unsigned flags) {
    streams.push_back(new Stream{&machine, current, streams.empty()});
    *stream = streams.back();
    return current ? SUCCESS : NOT_INITIALIZED;
}
CUresult cuStreamSynchronize(void *stream) {
    wait_for((Stream *)stream, ((Stream *)stream)->all());
    return state();
}
CUresult cuStreamDestroy_v2(void *stream) {
    cuStreamSynchronize(stream);
    for (size_t i = 0; i < streams.size(); i++) {
        if (streams[i] == stream) {
            streams.erase(streams.begin() + (long)i);
        }
    }
    return SUCCESS;
}
CUresult cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
    // the event as it is now: it may be recorded again
    Event then;
    {
        std::lock_guard<std::mutex> guard(machine.lock);
        then = *(Event *)event;
        if (++machine.waits == machine.lost_wait) {
            return SUCCESS;
        }
    }
    ((Stream *)stream)->add([then] {
        if (then.stream) {
            then.stream->run_to(then.place);
        }
    });
    return SUCCESS;
}
CUresult cuEventCreate(void **event, unsigned flags) {
    *event = new Event{current, (flags & 2) == 0}; // CU_EVENT_DISABLE_TIMING
    return current ? SUCCESS : NOT_INITIALIZED;
}
CUresult cuEventDestroy_v2(void *event) {
    delete (Event *)event;
    return SUCCESS;
}
CUresult cuEventRecord(void *event, void *stream) {
    Event *e = (Event *)event;
    if (!is_current(stream) || e->context != current) {
        return INVALID_HANDLE;
    }
    if (e->timed) {
        ((Stream *)stream)->add([e] {
            e->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
        });
    }
    long place = ((Stream *)stream)->all();
    std::lock_guard<std::mutex> guard(machine.lock);
    e->stream = (Stream *)stream;
    e->place = place;
    e->asked = 0;
    return SUCCESS;
}
CUresult cuEventElapsedTime(float *milliseconds, void *start, void *end) {
    Event *from = (Event *)start, *to = (Event *)end;
    std::lock_guard<std::mutex> guard(machine.lock);
    if (!from->timed || !to->timed || !from->stream || !to->stream) {
        return INVALID_HANDLE;
    }
    if (from->stream->done < from->place || to->stream->done < to->place) {
        return NOT_READY;
    }
    *milliseconds = (float)((to->seconds - from->seconds) * 1e3);
    return SUCCESS;
}
CUresult cuEventElapsedTime_v2(float *milliseconds, void *start, void *end) { return cuEventElapsedTime(milliseconds, start, end); }
CUresult cuEventSynchronize(void *event) {
    Event *e = (Event *)event;
    if (e->stream) {
        wait_for(e->stream, e->place);
    }
    return state();
}
CUresult cuEventQuery(void *event) {
    Event *e = (Event *)event;
    {
        std::lock_guard<std::mutex> guard(machine.lock);
        if (!e->stream || e->stream->done >= e->place) {
            return SUCCESS;
        }
        if (++e->asked < 3) {
            return NOT_READY;
        }
    }
    return cuEventSynchronize(event);
}
CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t bytes) {
    {
        std::lock_guard<std::mutex> guard(machine.lock);
        if (bytes > usable_bytes() - current->used_bytes) {
            return OUT_OF_MEMORY;
        }
        current->used_bytes += bytes;
    }
    // as the driver aligns
    size_t whole = (bytes + 255) / 256 * 256;
    char *block = (char *)aligned_alloc(256, whole);
    memset(block, 0xaa, bytes < (4 << 20) ? whole : 4 << 20);
    *p = (CUdeviceptr)block;
    std::lock_guard<std::mutex> guard(machine.lock);
    machine.memory[*p] = {bytes, current->device};
    return SUCCESS;
}
CUresult cuMemFree_v2(CUdeviceptr p) {
    for (Stream *stream : streams) {
        cuStreamSynchronize(stream); // the driver waits for more: for the whole device
    }
    {
        std::lock_guard<std::mutex> guard(machine.lock);
        auto block = machine.memory.find(p);
        if (block == machine.memory.end()) {
            return INVALID_VALUE;
        }
        contexts[block->second.device].used_bytes -= block->second.bytes;
        machine.memory.erase(block);
    }
    free((void *)p);
    return SUCCESS;
}
CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    std::lock_guard<std::mutex> guard(machine.lock);
    *free_bytes = usable_bytes() - current->used_bytes;
    *total = TOTAL_BYTES;
    return SUCCESS;
}
CUresult cuMemHostAlloc(void **p, size_t bytes, unsigned flags) {
    *p = malloc(bytes);
    return SUCCESS;
}
CUresult cuMemHostRegister_v2(void *p, size_t bytes, unsigned flags) {
    std::lock_guard<std::mutex> guard(machine.lock);
    bool added = p && bytes && machine.pinned.insert({(CUdeviceptr)p, {bytes, flags}}).second;
    return added ? SUCCESS : INVALID_VALUE;
}
CUresult cuMemHostUnregister(void *p) {
    std::lock_guard<std::mutex> guard(machine.lock);
    return machine.pinned.erase((CUdeviceptr)p) == 1 ? SUCCESS : INVALID_VALUE;
}
CUresult cuMemFreeHost(void *p) {
    free(p);
    return SUCCESS;
}
CUresult cuMemsetD8Async(CUdeviceptr p, unsigned char value, size_t bytes, void *stream) {
    ((Stream *)stream)->add([=] { memset((void *)p, value, bytes); });
    return machine.reaches(p) ? SUCCESS : ILLEGAL_ADDRESS;
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, void *stream) {
    ((Stream *)stream)->add([=] { memcpy((void *)to, from, bytes); });
    return SUCCESS;
}
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, void *stream) {
    ((Stream *)stream)->add([=] { memcpy(to, (const void *)from, bytes); });
    return SUCCESS;
}
static CUresult copy(CUdeviceptr to, int to_device, CUdeviceptr from, int from_device, size_t bytes, void *stream) {
    auto there = [=] {
        std::lock_guard<std::mutex> guard(machine.lock);
        return machine.holds(to, bytes, to_device) && machine.holds(from, bytes, from_device);
    };
    if (!is_current(stream) || !there()) {
        return INVALID_VALUE;
    }
    ((Stream *)stream)->add([=] {
        if (there()) {
            memcpy((void *)to, (const void *)from, bytes);
        } else {
            std::lock_guard<std::mutex> guard(machine.lock);
            machine.broken = true;
        }
    });
    return SUCCESS;
}
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, void *stream) {
    return current ? copy(to, current->device, from, current->device, bytes, stream) : NOT_INITIALIZED;
}
CUresult cuMemcpyPeerAsync(CUdeviceptr to, void *to_context, CUdeviceptr from, void *from_context, size_t bytes, void *stream) {
    return copy(to, ((Context *)to_context)->device, from, ((Context *)from_context)->device, bytes, stream);
}
// For tests, not of the driver. From now on: whether streams but a thread's first do their work at once, and which wait for an event is left out (0: none).
void standInPlay(int eager, long lost_wait) {
    std::lock_guard<std::mutex> guard(machine.lock);
    machine.eager = eager;
    machine.waits = 0;
    machine.lost_wait = lost_wait;
}
// How many waits of streams for events there were since.
long standInWaits() {
    std::lock_guard<std::mutex> guard(machine.lock);
    return machine.waits;
}
// How often the thread that asks has waited for a device that was not done yet.
long standInHostWaits() { return host_waits; }
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
    auto argument_bytes = (unsigned (*)())dlsym(module, (std::string(name) + "_argument_bytes").c_str());
    if (!run || !argument_bytes || argument_bytes() > MOST_ARGUMENT_BYTES) {
        return NOT_FOUND;
    }
    *function = new Function{(void (*)(const Launch *, const void *, unsigned))run, 48 << 10, argument_bytes()};
    return SUCCESS;
}
CUresult cuFuncSetAttribute(void *function, int attribute, int value) {
    ((Function *)function)->allowed_shared = (unsigned)value;
    return attribute == 8 && value <= 227 << 10 ? SUCCESS : INVALID_VALUE;
}
CUresult cuLaunchKernel(void *f, unsigned x, unsigned y, unsigned z, unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared, void *stream,
                        void **parameters, void **extra) {
    Function *function = (Function *)f;
    if (!is_current(stream) || block_y != 1 || block_z != 1 || shared > function->allowed_shared) {
        return INVALID_VALUE;
    }
    Launch launch = {{x, y, z}, block_x, shared, 0};
    struct Arguments {
        CUdeviceptr words[MOST_ARGUMENT_BYTES / sizeof(CUdeviceptr)];
    } arguments;
    memcpy(&arguments, parameters[0], sizeof(arguments));
    // any of them may be an address, and hardly a number that looks like one
    for (unsigned i = 0; i < function->argument_bytes / sizeof(CUdeviceptr); i++) {
        if (!machine.reaches(arguments.words[i])) {
            return ILLEGAL_ADDRESS;
        }
    }
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
int cublasSetWorkspace_v2(void *handle, void *workspace, size_t bytes) { return (uintptr_t)workspace % 256 == 0 ? 0 : 7; }

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

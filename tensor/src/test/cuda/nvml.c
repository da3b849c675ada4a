// A stand-in for libnvidia-ml.so.1: one device that reports all but its power, as nvml.h declares the calls.
#include <string.h>

static int open_count = 0;
static int device;

int nvmlInit_v2(void) {
    open_count++;
    return 0;
}
int nvmlShutdown(void) {
    open_count--;
    return 0;
}
int stand_in_open_count(void) { return open_count; }
int nvmlDeviceGetCount_v2(unsigned *count) {
    *count = 1;
    return open_count > 0 ? 0 : 1;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    *handle = &device;
    return index == 0 ? 0 : 2;
}
int nvmlDeviceGetName(void *handle, char *name, unsigned bytes) {
    strncpy(name, "Stand-in GPU", bytes);
    return handle == &device ? 0 : 2;
}
int nvmlDeviceGetUtilizationRates(void *handle, unsigned *rates) {
    rates[0] = 87;
    rates[1] = 12;
    return 0;
}
int nvmlDeviceGetMemoryInfo(void *handle, unsigned long long *memory) {
    memory[0] = 1000;
    memory[1] = 600;
    memory[2] = 400;
    return 0;
}
int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *celsius) {
    *celsius = 61;
    return sensor == 0 ? 0 : 2;
}
int nvmlDeviceGetPowerUsage(void *handle, unsigned *milliwatts) { return 3; /* NVML_ERROR_NOT_SUPPORTED */ }
int nvmlDeviceGetCurrentClocksThrottleReasons(void *handle, unsigned long long *reasons) {
    *reasons = 0x1 /* idle */ | 0x4 | 0x40;
    return 0;
}

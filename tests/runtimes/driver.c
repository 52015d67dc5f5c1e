/* Stands in for NVIDIA's driver: three GPUs, of which the second is lost and the third is still in use. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, LOST = 15 };
static const char *UUIDS[] = {"GPU-aaaa", "GPU-lost", "GPU-cccc"};
static const uint64_t GIB = 1ull << 30;

struct memory { uint64_t total, free, used; };
struct memory_v2 { unsigned version; uint64_t total, reserved, free, used; };
struct utilization { unsigned gpu, memory; };

int nvmlInitWithFlags(unsigned flags) { (void)flags; return OK; }
int nvmlInit_v2(void) { return OK; }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == LOST ? "GPU is lost" : "error"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 3; return OK; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    if (index > 2) return INVALID;
    if (index == 1) return LOST;
    *handle = (void *)(uintptr_t)(index + 1);
    return OK;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) {
    for (unsigned index = 0; index < 3; index++)
        if (!strcmp(uuid, UUIDS[index])) return nvmlDeviceGetHandleByIndex_v2(index, handle);
    return NOT_FOUND;
}

int nvmlDeviceGetName(void *handle, char *name, unsigned length) {
    (void)handle;
    snprintf(name, length, "Stand-in T4");
    return OK;
}

int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned length) {
    snprintf(uuid, length, "%s", UUIDS[(uintptr_t)handle - 1]);
    return OK;
}

int nvmlDeviceGetMinorNumber(void *handle, unsigned *minor) { *minor = (uintptr_t)handle - 1; return OK; }

static uint64_t used(void *handle) { return (uintptr_t)handle == 3 ? 9 * GIB : GIB / 4; }

int nvmlDeviceGetMemoryInfo(void *handle, struct memory *memory) {
    *memory = (struct memory){16 * GIB, 16 * GIB - used(handle), used(handle)};
    return OK;
}

#ifndef OLD
int nvmlDeviceGetMemoryInfo_v2(void *handle, struct memory_v2 *memory) {
    *memory = (struct memory_v2){memory->version, 16 * GIB, GIB / 2, 15 * GIB - used(handle), used(handle)};
    return OK;
}
#endif

int nvmlDeviceGetUtilizationRates(void *handle, struct utilization *rates) {
    if ((uintptr_t)handle == 3) return NOT_SUPPORTED;
    *rates = (struct utilization){37, 5};
    return OK;
}

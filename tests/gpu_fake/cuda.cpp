// A CUDA without a GPU: the runtime, the driver, cuBLAS, cuDNN and NVML, as far as PyTorch's CUDA build and
// Triton call them. Device memory is address space with a limit, copies of at most 1 MiB are made, and
// kernels do nothing. Streams, events and captures keep CUDA's rules: a broken rule is noted, and the call
// fails as it would on a GPU. build.py adds a function that returns 0 for everything else that PyTorch
// imports.
#include <cuda.h>
#include <cuda_runtime_api.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

using std::string;
static double number(const char* name, double otherwise) {
  const char* text = getenv(name);
  return text ? atof(text) : otherwise;
}

// ---- what a test sets (at the start by environment variables) and reads
extern "C" {
double fake_gib = number("FAKE_GIB", 79.2);  // the memory of each device
int fake_dead = 0;                           // 1: the context is lost, as after a kernel's illegal access
}
static const int DEVICES = number("FAKE_DEVICES", 1), ARCH = number("FAKE_ARCH", 90);
static const size_t PAGE = 2 << 20, CONTEXT = size_t(1) << 29;

struct Graph {
  std::vector<string> nodes;
  std::vector<struct Stream*> streams;  // the first one began the capture
  cudaStreamCaptureMode mode;
  long thread;
  bool broken = false;
};
struct Stream {
  int device, priority;
  Graph* capture;
};
struct Event {
  Graph* capture;
  bool recorded;
};
struct Block {
  size_t bytes;
  int device;
  enum { DEVICE, PINNED, RESERVED } kind;
};

static std::recursive_mutex mutex;
#define LOCKED                                         \
  std::lock_guard<std::recursive_mutex> locked(mutex); \
  if (fake_dead) return failed(cudaErrorIllegalAddress)
static std::map<string, std::vector<string>> notes;  // "launches", "graphs" and "faults", for the tests
static std::map<uintptr_t, Block> blocks;
static std::map<int, size_t> used, peak;
static std::map<int, Stream> default_streams;
static std::map<const void*, string> kernels;
static std::set<string> launched;  // kernels that ran outside of captures: they are loaded
static std::set<Graph*> captures;
static std::set<int> contexts;
static thread_local int current = 0;
static thread_local cudaError_t last = cudaSuccess;
static thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

struct Ok {
  template <class T>
  operator T() const {
    return T(0);
  }  // the success of every library
};
template <class T, class V>
static Ok set(T* out, V value) {
  return *out = T(value), Ok();
}
static cudaError_t failed(cudaError_t error) { return last = error; }
static long thread() { return syscall(SYS_gettid); }
static void fault(const string& what) { notes["faults"].push_back(what); }
static Stream* of(cudaStream_t stream) {
  if (uintptr_t(stream) > 2) return (Stream*)stream;
  return &default_streams.try_emplace(current, Stream{current, 0, nullptr}).first->second;
}
static void end(Graph* graph, const string& why) {
  if (!graph->broken) fault(why);
  graph->broken = true;
}
// Ends the captures that do not allow the call `what`, which may allocate, free or wait.
static bool forbidden(const char* what) {
  bool found = false;
  for (Graph* graph : captures) {
    bool own = graph->thread == thread(), global = graph->mode == cudaStreamCaptureModeGlobal;
    if (thread_mode == cudaStreamCaptureModeRelaxed || graph->mode == cudaStreamCaptureModeRelaxed) continue;
    if (own || (global && thread_mode == cudaStreamCaptureModeGlobal))
      end(graph, string(what) + " in a capture"), found = true;
  }
  return found;
}
#define NOT_IN_A_CAPTURE(what) \
  if (forbidden(what)) return failed(cudaErrorStreamCaptureUnsupported)

extern "C" {
const char* fake_notes(const char* list, int clear) {
  std::lock_guard<std::recursive_mutex> locked(mutex);
  static string text;
  text.clear();
  for (auto& line : notes[list]) text += line + "\n";
  if (clear) notes[list].clear();
  return text.c_str();
}
size_t fake_used(int device) { return used[device]; }
size_t fake_peak(int device) {
  size_t most = peak[device];
  peak[device] = used[device];
  return most;
}
int fake_has_context(int device) { return contexts.count(device); }

// ---- memory
static bool take(int device, size_t bytes) {
  if (CONTEXT + used[device] + bytes > size_t(fake_gib * (1 << 30))) return false;
  used[device] += bytes;
  if (used[device] > peak[device]) peak[device] = used[device];
  return true;
}
static void* address(size_t bytes, int device, decltype(Block::kind) kind) {
  void* found =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  blocks[uintptr_t(found)] = {bytes, device, kind};
  return found;
}
static void forget(void* start) {
  auto block = blocks.find(uintptr_t(start));
  if (block == blocks.end()) return;
  if (block->second.kind == Block::DEVICE) used[block->second.device] -= block->second.bytes;
  munmap(start, block->second.bytes);
  blocks.erase(block);
}
static Block* block_of(const void* place) {
  auto next = blocks.upper_bound(uintptr_t(place));
  if (next == blocks.begin()) return nullptr;
  auto& [start, block] = *--next;
  return uintptr_t(place) < start + block.bytes ? &block : nullptr;
}
static size_t pages(size_t bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }

cudaError_t cudaMalloc(void** out, size_t bytes) {
  LOCKED;
  NOT_IN_A_CAPTURE("cudaMalloc");
  contexts.insert(current);
  *out = nullptr;
  if (!take(current, pages(bytes))) return failed(cudaErrorMemoryAllocation);
  *out = address(pages(bytes), current, Block::DEVICE);
  return cudaSuccess;
}
cudaError_t cudaFree(void* start) {
  LOCKED;
  if (!start) return cudaSuccess;
  NOT_IN_A_CAPTURE("cudaFree");
  forget(start);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** out, size_t bytes, unsigned) {
  LOCKED;
  NOT_IN_A_CAPTURE("cudaHostAlloc");
  *out = address(bytes, current, Block::PINNED);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* start) { return cudaFree(start); }
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  LOCKED;
  contexts.insert(current);
  *total = size_t(fake_gib * (1 << 30));
  *free = *total - CONTEXT - used[current];
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* out, const void* place) {
  LOCKED;
  Block* block = block_of(place);
  *out = {};
  out->device = block ? block->device : current;
  out->type = !block                         ? cudaMemoryTypeUnregistered
              : block->kind == Block::PINNED ? cudaMemoryTypeHost
                                             : cudaMemoryTypeDevice;
  out->devicePointer = out->hostPointer = (void*)place;
  return cudaSuccess;
}

// ---- what a stream is given
static cudaError_t give(cudaStream_t stream, const string& what, bool kernel = true) {
  LOCKED;
  Stream* at = of(stream);
  contexts.insert(at->device);
  if (kernel && at->device != current) fault(what + " on a stream of another device");
  if (at->capture && at->capture->broken) return failed(cudaErrorStreamCaptureInvalidated);
  if (at->capture) {
    if (kernel && !launched.count(what)) fault(what + " runs for the first time in a capture");
    at->capture->nodes.push_back(what);
    return cudaSuccess;
  }
  for (Graph* graph : captures)
    if (graph->thread == thread()) fault(what + " on a stream outside of this thread's capture");
  if (kernel) launched.insert(what);
  notes["launches"].push_back(what);
  return cudaSuccess;
}
static cudaError_t wait(const char* what) {
  LOCKED;
  NOT_IN_A_CAPTURE(what);
  notes["launches"].push_back("wait");
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  LOCKED;
  bool capture = of(stream)->capture, within = kind == cudaMemcpyDeviceToDevice;
  bool pinned = within || block_of(kind == cudaMemcpyHostToDevice ? from : to);
  if (capture && !within) end(of(stream)->capture, "a copy of host memory in a capture");
  cudaError_t error = give(stream,
                           within   ? "copy"
                           : pinned ? "copy of pinned memory"
                                    : "copy of pageable memory",
                           false);
  if (!error && !capture && bytes <= 1 << 20) memmove(to, from, bytes);
  return error;
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  return error ? error : wait("cudaMemcpy");
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes, cudaStream_t stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  LOCKED;
  cudaError_t error = give(stream, "memset", false);
  if (!error && !of(stream)->capture && bytes <= 1 << 20) memset(to, value, bytes);
  return error;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* out, unsigned, int priority) {
  LOCKED;
  contexts.insert(current);
  *out = (cudaStream_t) new Stream{current, priority, nullptr};
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned flags) {
  return cudaStreamCreateWithPriority(out, flags, 0);
}
cudaError_t cudaStreamGetPriority(cudaStream_t stream, int* out) { return set(out, of(stream)->priority); }
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return set(least, 0), set(greatest, -5);
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return wait("cudaStreamSynchronize"); }
cudaError_t cudaDeviceSynchronize() { return wait("cudaDeviceSynchronize"); }
cudaError_t cudaStreamQuery(cudaStream_t) {
  LOCKED;
  NOT_IN_A_CAPTURE("cudaStreamQuery");
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned) {
  LOCKED;
  *out = (cudaEvent_t) new Event{};
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* out) { return cudaEventCreateWithFlags(out, 0); }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  LOCKED;
  *(Event*)event = {of(stream)->capture, true};
  return cudaSuccess;
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned) {
  return cudaEventRecord(event, stream);
}
static cudaError_t look(cudaEvent_t event, const char* what) {
  LOCKED;
  Graph* graph = ((Event*)event)->capture;
  if (captures.count(graph))
    return end(graph, string(what) + " of a captured event"), failed(cudaErrorCapturedEvent);
  NOT_IN_A_CAPTURE(what);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return look(event, "cudaEventQuery"); }
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  cudaError_t error = look(event, "cudaEventSynchronize");
  return error ? error : wait("cudaEventSynchronize");
}
cudaError_t cudaEventElapsedTime(float* out, cudaEvent_t, cudaEvent_t) { return set(out, 1); }
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  LOCKED;
  Stream* at = of(stream);
  Event* waited = (Event*)event;
  if (!at->capture && captures.count(waited->capture)) {
    at->capture = waited->capture;
    at->capture->streams.push_back(at);
  } else if (at->capture && waited->recorded && waited->capture != at->capture) {
    end(at->capture, "a capture waits for work outside of it");
    return failed(cudaErrorStreamCaptureIsolation);
  }
  return cudaSuccess;
}

// ---- captures and graphs
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  LOCKED;
  if (uintptr_t(stream) <= 2 || of(stream)->capture) return failed(cudaErrorStreamCaptureUnsupported);
  captures.insert(of(stream)->capture = new Graph{{}, {of(stream)}, mode, thread()});
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* out) {
  LOCKED;
  Graph* graph = of(stream)->capture;
  if (!graph) return failed(cudaErrorIllegalState);
  *out = (cudaGraph_t)graph;
  for (Stream* each : graph->streams) each->capture = nullptr;
  captures.erase(graph);
  return graph->broken ? failed(cudaErrorStreamCaptureInvalidated) : cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* out) {
  LOCKED;
  Graph* graph = of(stream)->capture;
  *out = !graph          ? cudaStreamCaptureStatusNone
         : graph->broken ? cudaStreamCaptureStatusInvalidated
                         : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* out,
                                     unsigned long long* id, cudaGraph_t* graph, const cudaGraphNode_t**,
                                     const cudaGraphEdgeData**, size_t* n_nodes) {
  LOCKED;
  if (id) *id = (unsigned long long)of(stream)->capture;
  if (graph) *graph = (cudaGraph_t)of(stream)->capture;
  if (n_nodes) *n_nodes = 0;
  return cudaStreamIsCapturing(stream, out);
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return std::swap(*mode, thread_mode), cudaSuccess;
}
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t*, size_t* n) {
  return set(n, ((Graph*)graph)->nodes.size());
}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* out, cudaGraph_t graph, unsigned long long) {
  LOCKED;
  Graph* made = new Graph(*(Graph*)graph);
  *out = (cudaGraphExec_t)made;
  notes["graphs"].push_back(std::to_string(made->nodes.size()) + " " +
                            std::to_string(made->streams[0]->priority));
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t) {
  LOCKED;
  NOT_IN_A_CAPTURE("cudaGraphExecDestroy");
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  if (of(stream)->device != ((Graph*)graph)->streams[0]->device) fault("a graph on another device");
  return give(stream, "graph " + std::to_string(((Graph*)graph)->nodes.size()), false);
}

// ---- devices
static int shared_bytes() {
  return (ARCH == 75 ? 64 : ARCH == 80 ? 163 : ARCH == 86 || ARCH == 89 || ARCH >= 120 ? 99 : 227) * 1024;
}
cudaError_t cudaGetDeviceCount(int* out) { return set(out, DEVICES); }
cudaError_t cudaGetDevice(int* out) { return set(out, current); }
cudaError_t cudaSetDevice(int device) {
  LOCKED;
  if (device < 0 || device >= DEVICES) return failed(cudaErrorInvalidDevice);
  contexts.insert(current = device);
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* out, int device) {
  *out = {};
  snprintf(out->name, sizeof out->name, "Fake GPU sm_%d", ARCH);
  out->uuid.bytes[0] = out->pciBusID = device + 1;
  out->totalGlobalMem = fake_gib * (1 << 30);
  out->major = ARCH / 10, out->minor = ARCH % 10;
  out->multiProcessorCount = 132, out->warpSize = 32, out->maxBlocksPerMultiProcessor = 32;
  out->l2CacheSize = 50 << 20;
  out->regsPerBlock = out->regsPerMultiprocessor = 65536;
  out->maxThreadsPerBlock = out->maxThreadsDim[0] = out->maxThreadsDim[1] = 1024;
  out->maxThreadsPerMultiProcessor = ARCH == 75                                ? 1024
                                     : ARCH == 86 || ARCH == 89 || ARCH >= 120 ? 1536
                                                                               : 2048;
  out->maxThreadsDim[2] = 64, out->maxGridSize[0] = 0x7fffffff,
  out->maxGridSize[1] = out->maxGridSize[2] = 65535;
  out->sharedMemPerBlock = 48 << 10, out->sharedMemPerBlockOptin = shared_bytes();
  out->sharedMemPerMultiprocessor = shared_bytes() + 1024;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* out, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp all;
  cudaGetDeviceProperties(&all, device);
  const std::map<int, int> known = {
      {cudaDevAttrMaxThreadsPerBlock, all.maxThreadsPerBlock},
      {cudaDevAttrMaxGridDimX, all.maxGridSize[0]},
      {cudaDevAttrMaxGridDimY, all.maxGridSize[1]},
      {cudaDevAttrMaxGridDimZ, all.maxGridSize[2]},
      {cudaDevAttrMaxSharedMemoryPerBlock, int(all.sharedMemPerBlock)},
      {cudaDevAttrMaxSharedMemoryPerBlockOptin, shared_bytes()},
      {cudaDevAttrMaxSharedMemoryPerMultiprocessor, int(all.sharedMemPerMultiprocessor)},
      {cudaDevAttrMaxRegistersPerBlock, all.regsPerBlock},
      {cudaDevAttrMaxRegistersPerMultiprocessor, all.regsPerMultiprocessor},
      {cudaDevAttrMaxThreadsPerMultiProcessor, all.maxThreadsPerMultiProcessor},
      {cudaDevAttrWarpSize, all.warpSize},
      {cudaDevAttrMultiProcessorCount, all.multiProcessorCount},
      {cudaDevAttrComputeCapabilityMajor, all.major},
      {cudaDevAttrComputeCapabilityMinor, all.minor},
      {CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED, 1},
      {CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED, 1},
  };
  auto found = known.find(int(attribute));
  return set(out, found == known.end() ? 0 : found->second);
}
cudaError_t cudaDeviceGetPCIBusId(char* out, int bytes, int device) {
  return snprintf(out, bytes, "0000:%02x:00.0", device + 1), cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int* out, int, int) { return set(out, 0); }
cudaError_t cudaDriverGetVersion(int* out) { return set(out, 13000); }
cudaError_t cudaRuntimeGetVersion(int* out) { return set(out, 13000); }
cudaError_t cudaGetLastError() {
  cudaError_t error = fake_dead ? cudaErrorIllegalAddress : last;
  last = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() { return fake_dead ? cudaErrorIllegalAddress : last; }
const char* cudaGetErrorName(cudaError_t) { return "cudaErrorFake"; }
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory"
         : error == cudaErrorIllegalAddress ? "an illegal memory access was encountered"
                                            : "fake error";
}

// ---- kernels of PyTorch
struct Launch {
  dim3 grid, block;
  size_t shared;
  cudaStream_t stream;
};
static thread_local std::vector<Launch> launches;
static cudaError_t launch(const void* kernel, const Launch& as) {
  std::lock_guard<std::recursive_mutex> locked(mutex);
  unsigned threads = as.block.x * as.block.y * as.block.z;
  bool fits = as.grid.x && as.grid.y && as.grid.z && as.grid.y < 65536 && as.grid.z < 65536 && threads &&
              threads <= 1024;
  if (!fits || as.shared > size_t(shared_bytes())) {
    fault(kernels[kernel] + " has a grid or a block that no GPU takes");
    return failed(cudaErrorInvalidConfiguration);
  }
  return give(as.stream, kernels[kernel]);
}
void** __cudaRegisterFatBinary(void*) {
  static void* handle;
  return &handle;
}
void __cudaRegisterFunction(void**, const char* host, char*, const char* name, int, void*, void*, void*,
                            void*, int*) {
  kernels[host] = name;
}
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, cudaStream_t stream) {
  launches.push_back({grid, block, shared, stream});
  return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream) {
  Launch as = launches.back();
  launches.pop_back();
  *grid = as.grid, *block = as.block, *shared = as.shared, *(cudaStream_t*)stream = as.stream;
  return cudaSuccess;
}
cudaError_t __cudaGetKernel(cudaKernel_t* out, const void* kernel) { return set(out, (cudaKernel_t)kernel); }
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void**, size_t shared,
                               cudaStream_t stream) {
  return launch(kernel, {grid, block, shared, stream});
}
cudaError_t cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void**, size_t shared,
                             cudaStream_t stream) {
  return launch(kernel, {grid, block, shared, stream});
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* as, const void* kernel, void**) {
  return launch(kernel, {as->gridDim, as->blockDim, as->dynamicSmemBytes, as->stream});
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* out, const void*) {
  *out = {};
  out->maxThreadsPerBlock = 1024, out->numRegs = 32, out->binaryVersion = ARCH, out->ptxVersion = 90;
  out->maxDynamicSharedSizeBytes = 48 << 10;
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* out, const void*, int threads, size_t,
                                                                   unsigned) {
  return set(out, 2048 / threads);
}
static char constants[1 << 20];
cudaError_t cudaGetSymbolAddress(void** out, const void*) { return set(out, constants); }

// ---- the driver, for PyTorch's growing segments and for Triton's kernels
cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** out, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult* found) {
  *out = dlsym(RTLD_DEFAULT, (string(name) + "_v2").c_str());
  if (!*out) *out = dlsym(RTLD_DEFAULT, name);
  if (found) *found = cudaDriverEntryPointSuccess;
  return cudaSuccess;
}
CUresult cuDriverGetVersion(int* out) { return CUresult(cudaDriverGetVersion(out)); }
CUresult cuDeviceGetCount(int* out) { return CUresult(cudaGetDeviceCount(out)); }
CUresult cuDeviceGet(CUdevice* out, int number) { return set(out, number); }
CUresult cuDeviceGetAttribute(int* out, CUdevice_attribute attribute, CUdevice device) {
  return CUresult(cudaDeviceGetAttribute(out, cudaDeviceAttr(attribute), device));
}
CUresult cuDevicePrimaryCtxRetain(CUcontext* out, CUdevice device) {
  return set(out, CUcontext(uintptr_t(device + 1)));
}
CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
  return set(flags, 0), set(active, fake_has_context(device));
}
CUresult cuCtxGetCurrent(CUcontext* out) {
  return set(out, fake_has_context(current) ? CUcontext(uintptr_t(current + 1)) : nullptr);
}
CUresult cuCtxSetCurrent(CUcontext context) {
  return context ? CUresult(cudaSetDevice(int(uintptr_t(context)) - 1)) : CUDA_SUCCESS;
}
CUresult cuCtxGetDevice(CUdevice* out) { return set(out, current); }
CUresult cuGetErrorString(CUresult, const char** out) { return set(out, "unknown error"); }
CUresult cuModuleGetFunction(CUfunction* out, CUmodule, const char* name) {
  return set(out, (CUfunction) new string(string("triton ") + name));
}
CUresult cuFuncGetAttribute(int* out, CUfunction_attribute attribute, CUfunction) {
  return set(out, attribute == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? 1024
                  : attribute == CU_FUNC_ATTRIBUTE_NUM_REGS            ? 64
                                                                       : 0);
}
CUresult cuLaunchKernelEx(const CUlaunchConfig* as, CUfunction kernel, void**, void**) {
  return CUresult(give(as->hStream, *(string*)kernel));
}
CUresult cuPointerGetAttribute(void* out, CUpointer_attribute attribute, CUdeviceptr place) {
  Block* block = block_of((void*)place);
  if (!block || block->kind == Block::PINNED) return CUDA_ERROR_INVALID_VALUE;
  if (attribute == CU_POINTER_ATTRIBUTE_DEVICE_POINTER) *(CUdeviceptr*)out = place;
  return CUDA_SUCCESS;
}
CUresult cuMemGetAllocationGranularity(size_t* out, const CUmemAllocationProp*,
                                       CUmemAllocationGranularity_flags) {
  return set(out, PAGE);
}
CUresult cuMemAddressReserve(CUdeviceptr* out, size_t bytes, size_t, CUdeviceptr, unsigned long long) {
  std::lock_guard<std::recursive_mutex> locked(mutex);
  *out = CUdeviceptr(address(bytes, current, Block::RESERVED));
  return CUDA_SUCCESS;
}
CUresult cuMemAddressFree(CUdeviceptr start, size_t) {
  forget((void*)start);
  return CUDA_SUCCESS;
}
CUresult cuMemCreate(CUmemGenericAllocationHandle* out, size_t bytes, const CUmemAllocationProp* as,
                     unsigned long long) {
  std::lock_guard<std::recursive_mutex> locked(mutex);
  if (!take(as->location.id, bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  *out = (CUmemGenericAllocationHandle) new Block{bytes, as->location.id, Block::DEVICE};
  return CUDA_SUCCESS;
}
CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  std::lock_guard<std::recursive_mutex> locked(mutex);
  used[((Block*)handle)->device] -= ((Block*)handle)->bytes;
  return CUDA_SUCCESS;
}
CUresult cuMemSetAccess(CUdeviceptr, size_t, const CUmemAccessDesc*, size_t) {
  return getenv("FAKE_WSL") ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

// ---- cuBLAS, cuBLASLt and cuDNN: a product and a convolution are one kernel each
struct Handle {
  cudaStream_t stream;
  int math_mode, pointer_mode;
};
int cublasCreate_v2(Handle** out) {
  *out = new Handle{};
  return 0;
}
int cublasSetStream_v2(Handle* handle, cudaStream_t stream) { return set(&handle->stream, stream); }
int cublasSetMathMode(Handle* handle, int mode) { return set(&handle->math_mode, mode); }
int cublasGetMathMode(Handle* handle, int* out) { return set(out, handle->math_mode); }
int cublasSetPointerMode_v2(Handle* handle, int mode) { return set(&handle->pointer_mode, mode); }
int cublasGetPointerMode_v2(Handle* handle, int* out) { return set(out, handle->pointer_mode); }
static int product(Handle* handle, const char* kind) {
  return give(handle->stream, string(kind) + " product, math mode " + std::to_string(handle->math_mode)) ? 13
                                                                                                         : 0;
}
int cublasGemmEx(Handle* handle) { return product(handle, "one"); }
int cublasSgemm_v2(Handle* handle) { return product(handle, "float32"); }
int cublasSgemv_v2(Handle* handle) { return product(handle, "float32"); }
int cublasDgemm_v2(Handle* handle) { return product(handle, "float64"); }
int cublasGemmStridedBatchedEx(Handle* handle) { return product(handle, "batched"); }
int cublasSgemmStridedBatched(Handle* handle) { return product(handle, "batched float32"); }
static int blank(int** out) { return set(out, (int*)calloc(1, 4096)); }
int cublasLtCreate(int** out) { return blank(out); }
int cublasLtMatmulDescCreate(int** out, int compute) { return blank(out), set(*out, compute); }
int cublasLtMatrixLayoutCreate(int** out) { return blank(out); }
int cublasLtMatmulPreferenceCreate(int** out) { return blank(out); }
int cublasLtMatmulAlgoGetHeuristic(void*, void*, void*, void*, void*, void*, void*, int, char* out, int* n) {
  memset(out, 0, 76);
  *n = 1;
  return 0;
}
int cublasLtMatmul(void*, int* compute, void*, void*, void*, void*, void*, void*, void*, void*, void*, void*,
                   void*, void*, size_t, cudaStream_t stream) {
  return give(stream, "product, compute type " + std::to_string(*compute)) ? 13 : 0;
}
int cudnnCreate(Handle** out) { return cublasCreate_v2(out); }
int cudnnSetStream(Handle* handle, cudaStream_t stream) { return cublasSetStream_v2(handle, stream); }
size_t cudnnGetVersion() { return 92000; }
size_t cudnnGetCudartVersion() { return 13000; }
int cudnnGetProperty(int part, int* out) { return set(out, part == 0 ? 9 : part == 1 ? 20 : 0); }
int cudnnBackendCreateDescriptor(int, int** out) { return blank(out); }
int cudnnBackendDestroyDescriptor(int* descriptor) { return free(descriptor), 0; }
int cudnnBackendGetAttribute(void*, int, int type, int64_t wanted, int64_t* n, char* out) {
  const int DESCRIPTORS = 15, INT64 = 3, DOUBLE = 5, FLOAT = 4, BOOLEAN = 2;
  if (n) *n = type == DESCRIPTORS || (type >= BOOLEAN && type <= DOUBLE);
  if (type != DESCRIPTORS && out && wanted > 0)
    memset(out, 0, type == INT64 || type == DOUBLE ? 8 : type == FLOAT ? 4 : 1);
  return 0;
}
int cudnnBackendExecute(Handle* handle, void*, void*) {
  return give(handle->stream, "convolution") ? 5000 : 0;
}
}

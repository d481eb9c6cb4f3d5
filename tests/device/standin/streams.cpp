// Streams, events and graphs. Work waits in its stream until the host waits for it, or another
// stream that does; what is recorded runs when its graph is launched.
#include <algorithm>
#include <utility>

#include "world.h"

namespace standin {
namespace {

thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

Event* event_of(cudaEvent_t event) {
  return reinterpret_cast<Event*>(event);
}

}  // namespace

Stream* stream_of(cudaStream_t stream) {
  // 0, 1 and 2 name default streams.
  if (reinterpret_cast<std::uintptr_t>(stream) <= 2) {
    return World::get().default_streams[current_device()];
  }
  return reinterpret_cast<Stream*>(stream);
}

void push(Stream* stream, Work work) {
  if (stream->capture) {
    stream->capture->work.push_back(std::move(work));
    return;
  }
  count(stream->is_default ? "work on default streams" : "work on other streams");
  ++stream->n_queued;
  stream->queue.push_back(std::move(work));
}

// Only what there was to wait for counts.
void wait_for(Stream* stream, std::uint64_t n) {
  if (stream->n_done < n) count("host waits");
  work_off(stream, n);
}

void work_off(Stream* stream, std::uint64_t n) {
  while (stream->n_done < n && !stream->queue.empty()) {
    const Work work = std::move(stream->queue.front());
    stream->queue.pop_front();
    ++stream->n_done;
    work();
  }
}

void work_off(Stream* stream) {
  work_off(stream, stream->n_queued);
}

bool is_capturing() {
  if (thread_mode == cudaStreamCaptureModeRelaxed) return false;
  const auto& streams = World::get().streams;
  return std::any_of(streams.begin(), streams.end(), [](const Stream* stream) {
    return stream->capture && stream->mode != cudaStreamCaptureModeRelaxed;
  });
}

cudaError_t refuse_in_capture(const char* what) {
  complain(std::string(what) + " while a stream is recorded");
  for (Stream* stream : World::get().streams) {
    if (stream->capture) stream->capture->is_broken = true;
  }
  return failed(cudaErrorStreamCaptureUnsupported);
}

}  // namespace standin

using namespace standin;

extern "C" {

cudaError_t cudaDeviceSynchronize() {
  const Lock lock(World::get().mutex);
  count("waits for the whole device");
  if (is_capturing()) return refuse_in_capture("cudaDeviceSynchronize");
  for (Stream* stream : World::get().streams) wait_for(stream, stream->n_queued);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* result, unsigned, int) {
  const Lock lock(World::get().mutex);
  auto* stream = new Stream;
  stream->device = current_device();
  World::get().streams.push_back(stream);
  *result = reinterpret_cast<cudaStream_t>(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t) {
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  const Lock lock(World::get().mutex);
  Stream* stream = stream_of(handle);
  if (stream->capture) return refuse_in_capture("cudaStreamSynchronize");
  wait_for(stream, stream->n_queued);
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  const Lock lock(World::get().mutex);
  Stream* stream = stream_of(handle);
  if (stream->capture) return refuse_in_capture("cudaStreamQuery");
  return stream->n_done == stream->n_queued ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t which, unsigned) {
  const Lock lock(World::get().mutex);
  Stream* stream = stream_of(handle);
  const Event* event = event_of(which);
  if (!event->stream || event->stream == stream) return cudaSuccess;
  if (stream->capture) complain("a recorded stream waits for what is not recorded");
  push(stream, [other = event->stream, n = event->position] { work_off(other, n); });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* result, unsigned) {
  *result = reinterpret_cast<cudaEvent_t>(new Event);
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* result) {
  return cudaEventCreateWithFlags(result, 0);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event_of(event);
  return cudaSuccess;
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t handle, cudaStream_t where, unsigned) {
  const Lock lock(World::get().mutex);
  Event* event = event_of(handle);
  Stream* stream = stream_of(where);
  if (stream->device != current_device()) complain("an event is recorded on another GPU's stream");
  event->is_captured = stream->capture != nullptr;
  if (event->is_captured) return cudaSuccess;
  event->stream = stream;
  event->position = stream->n_queued;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return cudaEventRecordWithFlags(event, stream, 0);
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  const Lock lock(World::get().mutex);
  const Event* event = event_of(handle);
  if (is_capturing()) return refuse_in_capture("cudaEventQuery");
  if (event->is_captured) return failed(cudaErrorCapturedEvent);
  return !event->stream || event->stream->n_done >= event->position ? cudaSuccess
                                                                    : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  const Lock lock(World::get().mutex);
  const Event* event = event_of(handle);
  if (is_capturing()) return refuse_in_capture("cudaEventSynchronize");
  if (event->stream) wait_for(event->stream, event->position);
  return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {
  *milliseconds = 1;
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, thread_mode);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  World& world = World::get();
  const Lock lock(world.mutex);
  Stream* stream = stream_of(handle);
  if (stream->is_default) return failed(cudaErrorStreamCaptureUnsupported);
  count("recordings");
  stream->capture = new Graph;
  stream->capture_id = ++world.n_captures;
  stream->mode = mode;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* result) {
  const Lock lock(World::get().mutex);
  *result = nullptr;
  Graph* graph = std::exchange(stream_of(handle)->capture, nullptr);
  if (!graph) return failed(cudaErrorIllegalState);
  if (graph->is_broken) {
    delete graph;
    return failed(cudaErrorStreamCaptureInvalidated);
  }
  *result = reinterpret_cast<cudaGraph_t>(graph);
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  const Lock lock(World::get().mutex);
  const Graph* graph = stream_of(handle)->capture;
  *status = !graph             ? cudaStreamCaptureStatusNone
            : graph->is_broken ? cudaStreamCaptureStatusInvalidated
                               : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t handle,
                                     cudaStreamCaptureStatus* status,
                                     unsigned long long* id,
                                     cudaGraph_t* graph,
                                     const cudaGraphNode_t** dependencies,
                                     const cudaGraphEdgeData** edges,
                                     std::size_t* n_dependencies) {
  const Lock lock(World::get().mutex);
  const Stream* stream = stream_of(handle);
  if (id) *id = stream->capture_id;
  if (graph) *graph = reinterpret_cast<cudaGraph_t>(stream->capture);
  if (dependencies) *dependencies = nullptr;
  if (edges) *edges = nullptr;
  if (n_dependencies) *n_dependencies = 0;
  return cudaStreamIsCapturing(handle, status);
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t*, std::size_t* n) {
  *n = reinterpret_cast<Graph*>(graph)->work.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* result,
                                          cudaGraph_t graph,
                                          unsigned long long) {
  World& world = World::get();
  const Lock lock(world.mutex);
  if (++world.counts["graphs"] == setting("STANDIN_FAIL_GRAPH", -1)) {
    return failed(cudaErrorMemoryAllocation);
  }
  *result = reinterpret_cast<cudaGraphExec_t>(new Graph(*reinterpret_cast<Graph*>(graph)));
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete reinterpret_cast<Graph*>(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete reinterpret_cast<Graph*>(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t handle) {
  const Lock lock(World::get().mutex);
  count("graph launches");
  for (const Work& work : reinterpret_cast<Graph*>(graph)->work) push(stream_of(handle), work);
  return cudaSuccess;
}

}  // extern "C"

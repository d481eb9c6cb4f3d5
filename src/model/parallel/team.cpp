#include "model/parallel/team.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <exception>
#include <fstream>
#include <string_view>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/record_function.h>
#include <fmt/format.h>
#include <unistd.h>

#include "labelprobe/core/error.h"

#include "model/parallel/connections.h"

namespace labelprobe::model {
namespace {

Team* the_team = nullptr;

constexpr std::chrono::seconds kStoreTimeout(5);  // of the watch
constexpr std::chrono::seconds kLeaving(5);

// Short messages go at once, longer ones behind their length.
constexpr std::int64_t kHeadBytes = 4096;
constexpr std::int64_t kLengthBytes = sizeof(std::int64_t);

std::string machine() {
  std::array<char, 256> name = {};
  ::gethostname(name.data(), name.size() - 1);
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  return fmt::format("{} {}", name.data(), boot);
}

at::Tensor bytes_of(const at::Tensor& tensor) {
  return tensor.contiguous().view({-1}).view(at::kByte);
}

std::string_view line_of(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

Team::Team(const World& world, std::function<void(const std::string&)> on_lost)
    : world_(world), connections_(std::make_unique<Connections>(world)) {
  LABELPROBE_CHECK(the_team == nullptr);
  watch_ =
      std::make_unique<Watch>(world, connections_->open_store(kStoreTimeout), std::move(on_lost));
  const std::string here = machine();
  const std::vector<std::string> all = collect(here);
  n_on_host_ = static_cast<int>(std::count(all.begin(), all.end(), here));
  watch_->start();
  the_team = this;
}

Team::~Team() {
  watch_->stop();
  the_team = nullptr;
}

Team* Team::current() {
  return the_team;
}

template <class Work>
void Team::guarded(const Work& work) {
  RECORD_FUNCTION("labelprobe::team", {});
  try {
    work();
  } catch (const std::exception& error) {
    is_idle_ = false;
    throw ModelError(
        fmt::format("{} ({}); processes that compute a model together end together: start them "
                    "anew, a run goes "
                    "on where it was",
                    watch_->find_lost(), line_of(error.what())));
  }
}

// All processes see the first tensor on a GPU at the same time.
bool Team::goes_by_gpu(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return false;
  if (!knows_gpus_) {
    knows_gpus_ = true;
    const std::vector<std::string> all = collect(Connections::has_gpu_group() ? "NCCL" : "");
    const bool have_all =
        std::all_of(all.begin(), all.end(), [](const auto& one) { return !one.empty(); });
    if (have_all) guarded([&] { connections_->open_gpu_group(); });
  }
  return connections_->gpu_group() != nullptr;
}

void Team::send_from_first(const at::Tensor& tensor) {
  if (tensor.numel() == 0) return;
  const bool by_gpu = goes_by_gpu(tensor);
  c10d::Backend& group = by_gpu ? *connections_->gpu_group() : connections_->group();
  std::vector<at::Tensor> bytes = {bytes_of(by_gpu ? tensor : tensor.cpu())};
  guarded([&] { group.broadcast(bytes)->wait(); });
  if (is_first() || bytes.front().const_data_ptr() == tensor.const_data_ptr()) return;
  at::Tensor target = tensor;
  target.copy_(bytes.front().view(tensor.scalar_type()).view(tensor.sizes()));
}

void Team::tell(std::span<const std::byte> message) {
  LABELPROBE_CHECK(is_first());
  const auto n = static_cast<std::int64_t>(message.size());
  at::Tensor head = at::empty({kHeadBytes}, at::kByte);
  auto* bytes = head.mutable_data_ptr<std::uint8_t>();
  std::memcpy(bytes, &n, kLengthBytes);
  const bool is_short = n <= kHeadBytes - kLengthBytes;
  if (is_short) std::memcpy(bytes + kLengthBytes, message.data(), message.size());
  send_from_first(head);
  if (is_short) return;
  at::Tensor rest = at::empty({n}, at::kByte);
  std::memcpy(rest.mutable_data_ptr(), message.data(), message.size());
  send_from_first(rest);
}

std::vector<std::byte> Team::hear() {
  LABELPROBE_CHECK(!is_first());
  const at::Tensor head = at::empty({kHeadBytes}, at::kByte);
  send_from_first(head);
  std::int64_t n = 0;
  const auto* bytes = head.const_data_ptr<std::uint8_t>();
  std::memcpy(&n, bytes, kLengthBytes);
  std::vector<std::byte> message(static_cast<std::size_t>(n));
  if (n <= kHeadBytes - kLengthBytes) {
    std::memcpy(message.data(), bytes + kLengthBytes, message.size());
    return message;
  }
  const at::Tensor rest = at::empty({n}, at::kByte);
  send_from_first(rest);
  std::memcpy(message.data(), rest.const_data_ptr(), message.size());
  return message;
}

std::vector<std::string> Team::collect(const std::string& text) {
  const at::Tensor lengths =
      gather(at::full({1}, static_cast<std::int64_t>(text.size()), at::kLong), false)
          .view(at::kLong);
  const std::int64_t n_longest = std::max<std::int64_t>(1, lengths.max().item<std::int64_t>());
  const at::Tensor own = at::zeros({n_longest}, at::kByte);
  std::memcpy(own.mutable_data_ptr(), text.data(), text.size());
  const at::Tensor all = gather(own, false);
  std::vector<std::string> texts;
  for (std::int64_t rank = 0; rank < size(); ++rank) {
    texts.emplace_back(static_cast<const char*>(all[rank].const_data_ptr()),
                       static_cast<std::size_t>(lengths[rank][0].item<std::int64_t>()));
  }
  return texts;
}

// [processes, bytes of a part], on the host or the parts' GPU; undefined where it was gathered
// elsewhere.
at::Tensor Team::gather(const at::Tensor& part, bool is_at_first) {
  const bool by_gpu = goes_by_gpu(part);
  c10d::Backend& group = by_gpu ? *connections_->gpu_group() : connections_->group();
  at::Tensor own = bytes_of(by_gpu ? part : part.cpu());
  const bool is_here = !is_at_first || is_first();
  at::Tensor all = is_here ? at::empty({size(), own.numel()}, own.options()) : at::Tensor();
  guarded([&] {
    if (!is_at_first) {
      at::Tensor flat = all.view({-1});
      group._allgather_base(flat, own)->wait();
      return;
    }
    std::vector<std::vector<at::Tensor>> outputs;
    if (is_here) outputs.push_back(all.unbind(0));
    std::vector<at::Tensor> inputs = {own};
    group.gather(outputs, inputs)->wait();
  });
  return all;
}

at::Tensor Team::join(const at::Tensor& part,
                      std::span<const std::int64_t> widths,
                      bool is_at_first) {
  const std::int64_t n_rows = part.size(0);
  const std::int64_t n_widest = *std::max_element(widths.begin(), widths.end());
  LABELPROBE_CHECK(part.size(1) == widths[static_cast<std::size_t>(rank())]);
  if (n_rows == 0) {
    std::int64_t n_all = 0;
    for (const std::int64_t width : widths) n_all += width;
    return at::empty({0, n_all}, part.options());
  }
  at::Tensor sent = part;
  if (part.size(1) < n_widest) {
    sent = at::zeros({n_rows, n_widest}, part.options());
    sent.narrow(1, 0, part.size(1)).copy_(part);
  }
  const at::Tensor all = gather(sent, is_at_first);
  if (!all.defined()) return {};
  const at::Tensor numbers = all.view(part.scalar_type()).view({size(), n_rows, n_widest});
  std::vector<at::Tensor> columns;
  for (std::int64_t rank = 0; rank < size(); ++rank) {
    columns.push_back(numbers[rank].narrow(1, 0, widths[static_cast<std::size_t>(rank)]));
  }
  return at::cat(columns, 1).to(part.device());
}

at::Tensor Team::join_columns(const at::Tensor& part, std::span<const std::int64_t> widths) {
  return join(part, widths, /*is_at_first=*/false);
}

at::Tensor Team::join_columns_at_first(const at::Tensor& part,
                                       std::span<const std::int64_t> widths) {
  return join(part, widths, /*is_at_first=*/true);
}

at::Tensor Team::take_rows(const at::Tensor& part, const at::Tensor& owners) {
  const std::int64_t n_rows = part.size(0);
  const at::Tensor all = gather(part, /*is_at_first=*/false)
                             .view(part.scalar_type())
                             .view({size() * n_rows, part.size(1)});
  const at::Tensor places =
      (owners * n_rows + at::arange(n_rows, owners.options())).to(all.device());
  return all.index_select(0, places).to(part.device());
}

void Team::leave() {
  watch_->stop();
  const auto key = [](int rank) { return fmt::format("left/{}", rank); };
  try {
    connections_->store().set(key(rank()), std::vector<std::uint8_t>{1});
    if (!is_first()) return;
    std::vector<std::string> keys;
    for (int rank = 0; rank < size(); ++rank) keys.push_back(key(rank));
    connections_->store().wait(keys, kLeaving);
  } catch (const std::exception&) {
    // Whoever is gone without a word has said so elsewhere.
  }
}

}  // namespace labelprobe::model

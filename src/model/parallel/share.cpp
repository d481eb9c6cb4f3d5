#include "model/parallel/share.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::model {
namespace {

using weights::Extent;
using weights::RowRange;

// Parts are multiples of it where that leaves one for everybody: whole blocks of 4-bit weights, and
// rows that begin where registers do.
constexpr std::int64_t kUnit = 64;

std::vector<RowRange> divide(std::int64_t length, int n_processes, std::string_view what) {
  if (length < n_processes) {
    throw ConfigError(fmt::format("expected at most {} processes, as the model has {} {}; found {}",
                                  length, length, what, n_processes));
  }
  std::int64_t unit = kUnit;
  while (length % unit != 0 || length / unit < n_processes) unit /= 2;
  const std::int64_t n_units = length / unit;
  std::vector<RowRange> parts;
  std::int64_t first = 0;
  for (int rank = 0; rank < n_processes; ++rank) {
    const std::int64_t n = unit * (n_units / n_processes + (rank < n_units % n_processes ? 1 : 0));
    parts.push_back({first, n});
    first += n;
  }
  return parts;
}

// Key heads with all of their queries; or, where there are more processes, one of them each with
// some of its queries.
void divide_heads(const weights::DecoderConfig& whole, std::vector<Share>& shares) {
  const std::int64_t n_keys = whole.n_kv_heads;
  const std::int64_t n_group = whole.n_heads / n_keys;
  const auto n = static_cast<std::int64_t>(shares.size());
  if (n <= n_keys) {
    std::int64_t first = 0;
    for (std::int64_t rank = 0; rank < n; ++rank) {
      const std::int64_t n_here = n_keys / n + (rank < n_keys % n ? 1 : 0);
      shares[rank].key_heads = {first, n_here};
      shares[rank].heads = {first * n_group, n_here * n_group};
      first += n_here;
    }
    return;
  }
  const std::int64_t n_sharing = n / n_keys;
  if (n % n_keys != 0 || n_group % n_sharing != 0) {
    throw ConfigError(
        fmt::format("expected at most {} processes, as the model has {} heads of keys, or {} times "
                    "a divisor of "
                    "{}, the queries of each; found {}",
                    n_keys, n_keys, n_keys, n_group, n));
  }
  for (std::int64_t rank = 0; rank < n; ++rank) {
    const std::int64_t n_here = n_group / n_sharing;
    shares[rank].key_heads = {rank / n_sharing, 1};
    shares[rank].heads = {rank * n_here, n_here};
    shares[rank].repeats_keys = rank % n_sharing != 0;
  }
}

bool has_dense_layers(const weights::DecoderConfig& config) {
  for (int layer = 0; layer < config.n_layers; ++layer) {
    if (!config.experts.are_in(layer)) return true;
  }
  return false;
}

RowRange scaled(const RowRange& range, std::int64_t n_each, std::int64_t offset = 0) {
  return {offset + range.first * n_each, range.n * n_each};
}

}  // namespace

std::vector<Share> divide_model(const weights::DecoderConfig& whole, int n_processes) {
  LABELPROBE_CHECK(n_processes > 0);
  std::vector<Share> shares(static_cast<std::size_t>(n_processes));
  divide_heads(whole, shares);
  const auto set = [&](RowRange Share::*part, std::int64_t length, std::string_view what) {
    const std::vector<RowRange> parts = divide(length, n_processes, what);
    for (std::size_t rank = 0; rank < shares.size(); ++rank) shares[rank].*part = parts[rank];
  };
  set(&Share::hidden, whole.hidden_size, "numbers in a hidden state");
  set(&Share::vocabulary, whole.vocab_size, "tokens");
  if (has_dense_layers(whole)) {
    set(&Share::inner, whole.intermediate_size, "columns in an MLP");
  }
  if (whole.experts.n > 0) {
    set(&Share::expert_inner, whole.experts.intermediate_size, "columns in an expert");
  }
  return shares;
}

weights::RowRanges rows_of(const weights::DecoderConfig& whole,
                           const Share& share,
                           const weights::Parameter& parameter) {
  const weights::Module& module = weights::module_of(*whole.family, parameter.role);
  const std::int64_t n_dim = whole.head_dim;
  switch (module.height) {
    case Extent::Hidden:
      // Norms are vectors.
      return module.width == Extent::None ? weights::RowRanges() : weights::RowRanges{share.hidden};
    case Extent::Inner:
      return {share.inner};
    case Extent::InnerTwice:
      return {share.inner, scaled(share.inner, 1, whole.intermediate_size)};
    case Extent::ExpertInner:
      return {share.expert_inner};
    case Extent::Heads:
      return {share.heads};
    case Extent::QueryRows:
      return module.width == Extent::None ? weights::RowRanges()
                                          : weights::RowRanges{scaled(share.heads, n_dim)};
    case Extent::KeyRows:
      return module.width == Extent::None ? weights::RowRanges()
                                          : weights::RowRanges{scaled(share.key_heads, n_dim)};
    case Extent::QueryKeyValueRows:
      return {scaled(share.heads, n_dim), scaled(share.key_heads, n_dim, whole.n_heads * n_dim),
              scaled(share.key_heads, n_dim, (whole.n_heads + whole.n_kv_heads) * n_dim)};
    case Extent::Vocabulary:
      return {share.vocabulary};
    case Extent::None:
    case Extent::Experts:
    case Extent::HeadSize:
      break;
  }
  return {};
}

weights::DecoderConfig part_of(const weights::DecoderConfig& whole, const Share& share) {
  weights::DecoderConfig part = whole;
  part.n_heads = static_cast<int>(share.heads.n);
  part.n_kv_heads = static_cast<int>(share.key_heads.n);
  return part;
}

bool norms_all_heads(const weights::DecoderConfig& config) {
  return weights::has_module(*config.family, weights::Role::QueryNorm) &&
         weights::module_of(*config.family, weights::Role::QueryNorm).height == Extent::QueryRows;
}

std::vector<std::int64_t> widths_of(std::span<const Share> shares,
                                    RowRange Share::*part,
                                    std::int64_t n_each) {
  std::vector<std::int64_t> widths;
  for (const Share& share : shares) widths.push_back((share.*part).n * n_each);
  return widths;
}

}  // namespace labelprobe::model

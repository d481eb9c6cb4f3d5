#include "model/cost/card_time.h"

#include <algorithm>
#include <array>
#include <utility>

#include "model/engine/limits.h"
#include "model/products/fixed_rows.h"
#include "weights/device/dtype.h"

namespace labelprobe::model::cost {
namespace {

std::int64_t quotient_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

double number_bytes(const CardSetting& setting) {
  return static_cast<double>(weights::dtype_bytes(setting.options.dtype));
}

double bandwidth(const Card& card) {
  return card.bytes_per_second * kBandwidthShare;
}

double product_rate(const CardSetting& setting) {
  const Card& card = setting.card;
  if (setting.options.dtype != DType::Float32) return card.half_flops * kProductShare;
  return (setting.options.allows_tf32 ? card.tf32_flops : card.float_flops) * kProductShare;
}

// Cycles of a multiprocessor per second: its arithmetic units do a multiplication and an addition
// of float32 in each of 128 lanes.
double cycles_per_second(const Card& card) {
  return card.float_flops / (256.0 * card.n_multiprocessors) * kClockShare;
}

// The longer one of both, and the start.
Item kernel(double flop, double arithmetic_seconds, double bytes, const Card& card) {
  const double memory_seconds = bytes / bandwidth(card);
  const double longest = std::max(arithmetic_seconds, memory_seconds);
  const Bound bound = longest < kKernelSeconds               ? Bound::Starts
                      : arithmetic_seconds >= memory_seconds ? Bound::Arithmetic
                                                             : Bound::Memory;
  return {flop, bytes, 1, longest + kKernelSeconds, bound};
}

Item sum_of(Item a, const Item& b) {
  if (b.seconds > a.seconds) a.bound = b.bound;
  a.flop += b.flop;
  a.bytes += b.bytes;
  a.n_launches += b.n_launches;
  a.seconds += b.seconds;
  return a;
}

Item times(std::int64_t n, Item item) {
  const auto factor = static_cast<double>(n);
  return {item.flop * factor, item.bytes * factor, item.n_launches * n, item.seconds * factor,
          item.bound};
}

// Blocks of a matrix product: rows and columns of the result that one of them makes, and how near
// it comes to the rate of the largest one, which reads each number least often.
struct ProductTile {
  std::int64_t n_rows;
  std::int64_t n_columns;
  double share;
};
constexpr std::array kProductTiles = {ProductTile{128, 256, 1.0}, ProductTile{256, 128, 1.0},
                                      ProductTile{128, 128, 0.85}, ProductTile{64, 128, 0.65},
                                      ProductTile{64, 64, 0.5}};
// Parts that the sums of a product may be cut into, where it has too few blocks.
constexpr std::array kSplits = {1, 2, 4, 8};

// How few rows of a tile are worth it.
constexpr std::int64_t kFewestRows = 64;

// The own kernel of attention (cuda/attention_kernels.h): a block of 128 threads, of which 16 stand
// side by side, each with every 16th key and every 16th number of a value.
constexpr double kWarps = 4;
constexpr double kCardColumns = 16;
constexpr double kTileKeys = 64;
constexpr double kKeysEach = kTileKeys / kCardColumns;
// A multiprocessor reads one warp's numbers from shared memory in a cycle, and multiplies four
// warps' numbers.
constexpr double kMultipliersPerReader = 4;
// Keys and values are written to shared memory eight numbers at a time, of which four land in the
// same bank.
constexpr double kBankConflict = 4;
// Barriers, exponentials and waits for memory, beside what is counted. Nobody has measured it yet.
constexpr double kWaiting = 1.4;
// From a block's start to its first keys, and from its last ones to its end.
constexpr double kBlockCycles = 4000;
constexpr double kSharedKibPerThinBlock = 46;
constexpr double kSharedKibPerWideBlock = 84;

// What a class of items takes of the multiprocessors, in cycles.
struct ItemCycles {
  double per_tile = 0;  // whatever it holds
  double per_key = 0;
  double per_item = 0;
};

//   rows_each  queries that a thread works on
//   n_warps    that have queries
ItemCycles item_cycles(const CardSetting& setting, double rows_each, double n_warps, double kib) {
  const double n_dims = setting.config.head_dim;
  const double values_each = n_dims / kCardColumns;
  const auto longest = [](double n_reads, double n_products) {
    return std::max(n_reads, n_products / kMultipliersPerReader);
  };
  ItemCycles cycles;
  cycles.per_tile =
      kWaiting * n_warps * n_dims * longest(rows_each + kKeysEach, rows_each * kKeysEach);
  cycles.per_key = kWaiting * (n_warps * longest(rows_each + values_each, rows_each * values_each) +
                               2 * n_dims / 32 * kBankConflict);
  const double n_at_once = std::max(1.0, setting.card.shared_kib / kib);
  cycles.per_item = kBlockCycles / n_at_once;
  return cycles;
}

double cycles_of(const ItemCycles& cycles, const AttentionWork::Items& items) {
  return cycles.per_tile * static_cast<double>(items.n_tiles) +
         cycles.per_key * static_cast<double>(items.n_keys) +
         cycles.per_item * static_cast<double>(items.n);
}

// A card is not done before its longest item is.
double longest_of(const ItemCycles& cycles, const AttentionWork::Items& items) {
  if (items.n == 0) return 0;
  return (cycles.per_tile + kTileKeys * cycles.per_key) * static_cast<double>(items.n_most_tiles) +
         kBlockCycles;
}

Item time_of_items(const CardSetting& setting, std::int64_t n_rows, const AttentionWork& work) {
  const weights::DecoderConfig& config = setting.config;
  const double n_groups = static_cast<double>(config.n_heads) / config.n_kv_heads;
  const ItemCycles thin =
      item_cycles(setting, 1, std::clamp(n_groups / 2, 1.0, kWarps), kSharedKibPerThinBlock);
  const ItemCycles narrow = item_cycles(setting, 2, kWarps, kSharedKibPerThinBlock);
  const ItemCycles wide = item_cycles(setting, 8, kWarps, kSharedKibPerWideBlock);
  const double cycles =
      (cycles_of(thin, work.thin) + cycles_of(narrow, work.narrow) + cycles_of(wide, work.wide)) *
      config.n_kv_heads / setting.card.n_multiprocessors;
  // Wide items and the others are a launch each.
  const double seconds =
      std::max(cycles, longest_of(wide, work.wide) +
                           std::max(longest_of(thin, work.thin), longest_of(narrow, work.narrow))) /
      cycles_per_second(setting.card);
  const double row_bytes = static_cast<double>(config.n_heads) * config.head_dim;
  // Keys and values are read again and again, from the cache of the card.
  const double part_bytes = static_cast<double>(work.n_parts) * row_bytes * sizeof(float);
  const double flop = 4.0 * static_cast<double>(work.n_pairs) * row_bytes;
  Item attended = kernel(flop, seconds, part_bytes, setting.card);
  if (work.wide.n > 0 && work.thin.n + work.narrow.n > 0) {
    attended.n_launches += 1;
    attended.seconds += kKernelSeconds;
  }
  // Merging.
  return sum_of(
      attended,
      kernel(0, 0, part_bytes + static_cast<double>(n_rows) * row_bytes * number_bytes(setting),
             setting.card));
}

// Half of the products' rate is what flash attention of the second generation reaches on the cards
// that it was written for.
constexpr double kFlashShare = 0.4;
constexpr double kFlashTileRows = 128;
// A block that has nothing to do.
constexpr double kEmptyBlockCycles = 600;

Item time_of_levels(const CardSetting& setting, std::int64_t n_rows, const AttentionWork& work) {
  const weights::DecoderConfig& config = setting.config;
  const double tile_flop = 4.0 * kFlashTileRows * kTileKeys * config.head_dim;
  const double arithmetic = static_cast<double>(work.n_flash_tiles) * config.n_heads * tile_flop /
                            (setting.card.half_flops * kFlashShare);
  const double starts = static_cast<double>(work.n_flash_blocks) * config.n_heads *
                        kEmptyBlockCycles /
                        (setting.card.n_multiprocessors * cycles_per_second(setting.card));
  const double bytes = 4.0 * static_cast<double>(work.n_flash_levels * n_rows) * config.n_heads *
                       config.head_dim * number_bytes(setting);
  Item item = kernel(0, arithmetic + starts, bytes, setting.card);
  if (starts > arithmetic) item.bound = Bound::Starts;
  item.n_launches = 3 * work.n_flash_levels;
  item.seconds += kKernelSeconds * static_cast<double>(item.n_launches - 1);
  return item;
}

// A pass through the layers.
class PassTime {
 public:
  PassTime(const CardSetting& setting, Phase phase, Ledger& ledger)
      : setting_(setting), phase_(phase), ledger_(ledger) {}

  void add(const Pass& pass) {
    pass_ = &pass;
    const weights::DecoderConfig& config = setting_.config;
    const std::int64_t n_query = std::int64_t{config.n_heads} * config.head_dim;
    const std::int64_t n_key = std::int64_t{config.n_kv_heads} * config.head_dim;
    const bool is_step = phase_ != Phase::Prompts;
    add_rows_kernel(pass.n_rows, 4, 2.0 * config.hidden_size);  // embedding, cosines and sines
    for (int layer = 0; layer < config.n_layers; ++layer) {
      const std::int64_t n = pass.n_rows;
      const std::int64_t n_rest = layer + 1 == config.n_layers ? pass.n_kept : n;
      add_rows_kernel(n, 1, 2.0 * config.hidden_size);  // norm
      add_products(n, n_query + 2 * n_key, config.hidden_size);
      // Rotation reads and writes queries and keys; a pack's keys and values are copied.
      add_rows_kernel(n, 1, 2.0 * static_cast<double>(n_query + n_key));
      if (!is_step) add_rows_kernel(n, 2, 4.0 * static_cast<double>(n_key));
      Item attended;
      if (pass.attention.thin.n + pass.attention.narrow.n + pass.attention.wide.n > 0) {
        attended = sum_of(attended, time_of_items(setting_, n, pass.attention));
      }
      if (pass.attention.n_flash_levels > 0) {
        attended = sum_of(attended, time_of_levels(setting_, n, pass.attention));
      }
      add(Work::Attention, attended);
      if (n_rest == 0) break;
      if (n_rest != n) {
        add_rows_kernel(n_rest, 2, 2.0 * static_cast<double>(config.hidden_size + n_query));
      }
      if (!setting_.options.is_fast && n_rest % kFixedRows != 0) {  // filled up
        add_rows_kernel(n_rest, 2, 2.0 * static_cast<double>(n_query));
      }
      add_products(n_rest, config.hidden_size, n_query);
      add_rows_kernel(n_rest, 1, 2.0 * config.hidden_size);  // norm
      add_products(n_rest, 2 * std::int64_t{config.intermediate_size}, config.hidden_size);
      add_rows_kernel(n_rest, 1, 3.0 * config.intermediate_size);  // gate
      add_products(n_rest, config.hidden_size, config.intermediate_size);
    }
    ledger_.add_rows(phase_, Work::Products, pass.n_rows);
    ledger_.add_rows(phase_, Work::Attention, pass.n_rows);
    ledger_.add_rows(phase_, Work::Rows, pass.n_rows);
  }

  // The head, and what is read of its logits.
  void add_head(std::int64_t n_rows, bool is_recorded, bool is_awaited) {
    const Pass pass{n_rows, n_rows, is_recorded, is_awaited, {}};
    pass_ = &pass;
    const weights::DecoderConfig& config = setting_.config;
    for (std::int64_t first = 0; first < n_rows; first += kRowsPerHead) {
      const std::int64_t n = std::min(kRowsPerHead, n_rows - first);
      const std::int64_t n_computed = setting_.options.is_fast ? n : kFixedRows;
      add(Work::Logits,
          kernel(0, 0, 2.0 * static_cast<double>(n * config.hidden_size) * number_bytes(setting_),
                 setting_.card));
      add(Work::Logits,
          time_of_product(setting_, n_computed, config.vocab_size, config.hidden_size));
      const double n_logits = static_cast<double>(n) * config.vocab_size;
      if (setting_.options.dtype != DType::Float32) {  // widened
        add(Work::Logits,
            kernel(0, 0, n_logits * (number_bytes(setting_) + sizeof(float)), setting_.card));
      }
      // Read once for each of the largest, and once for the sum.
      const double n_reads = std::max(1, setting_.n_top_tokens) + 1;
      add(Work::Logits, kernel(0, 0, n_reads * n_logits * sizeof(float), setting_.card));
      if (is_awaited) add(Work::Host, {0, 0, 1, kRoundTripSeconds, Bound::Host});
    }
    ledger_.add_rows(phase_, Work::Logits, n_rows);
  }

  // What the device waits for before the first pack; those of later ones are planned while it
  // computes.
  void add_planning(const Workload& workload) {
    double seconds = static_cast<double>(workload.n_prompt_tokens) * kSortSeconds;
    if (!workload.packs.empty()) {
      seconds += static_cast<double>(workload.packs.front().n_rows) * kPlanSeconds;
    }
    ledger_.add(phase_, Work::Host, {0, 0, 0, seconds, Bound::Host});
  }

  // What the host needs longer to queue the launches than the device to do them.
  void add_host_time() {
    const double queueing = static_cast<double>(n_queued_) * kLaunchSeconds;
    if (queueing > seconds_) {
      ledger_.add(phase_, Work::Host, {0, 0, 0, queueing - seconds_, Bound::Host});
    }
    n_queued_ = 0;
    seconds_ = 0;
  }

 private:
  void add(Work work, Item item) {
    if (pass_->is_recorded) {
      item.seconds -=
          static_cast<double>(item.n_launches) * (kKernelSeconds - kRecordedKernelSeconds);
      item.n_launches = 0;
    }
    n_queued_ += item.n_launches;
    seconds_ += item.seconds;
    ledger_.add(phase_, work, item);
  }

  // Kernels that read and write so many numbers of each row, all together.
  void add_rows_kernel(std::int64_t n_rows, std::int64_t n_kernels, double n_numbers) {
    const double bytes = static_cast<double>(n_rows) * n_numbers * number_bytes(setting_) /
                         static_cast<double>(n_kernels);
    add(Work::Rows, times(n_kernels, kernel(0, 0, bytes, setting_.card)));
  }

  // As fixed_rows.h has them.
  void add_products(std::int64_t n_rows, std::int64_t height, std::int64_t width) {
    const std::int64_t n_each = setting_.options.is_fast ? n_rows : kFixedRows;
    const std::int64_t n_products = quotient_up(n_rows, n_each);
    add(Work::Products, times(n_products, time_of_product(setting_, n_each, height, width)));
    // 8-bit codes are counted as if they were unpacked for each product: theirs are faster than
    // that, but the host waits for each.
    const bool is_8bit = setting_.quantization == Quantization::Int8;
    add(Work::Unpacking,
        times(is_8bit ? n_products : 1, time_of_unpacking(setting_, height, width)));
  }

  const CardSetting& setting_;
  Phase phase_;
  Ledger& ledger_;
  const Pass* pass_ = nullptr;
  std::int64_t n_queued_ = 0;
  double seconds_ = 0;
};

}  // namespace

Item time_of_product(const CardSetting& setting,
                     std::int64_t n_rows,
                     std::int64_t height,
                     std::int64_t width) {
  const Card& card = setting.card;
  const double rate = product_rate(setting) / card.n_multiprocessors;  // of a block that is alone
  const double n_result = static_cast<double>(n_rows) * static_cast<double>(height);
  const double n_weights = static_cast<double>(height) * static_cast<double>(width);
  const double bytes =
      (n_result + n_weights + static_cast<double>(n_rows) * static_cast<double>(width)) *
      number_bytes(setting);
  double best = 0;
  for (const ProductTile& tile : kProductTiles) {
    if (tile.n_rows > std::max(n_rows, kFewestRows)) continue;
    for (const int n_splits : kSplits) {
      const std::int64_t n_blocks =
          quotient_up(n_rows, tile.n_rows) * quotient_up(height, tile.n_columns) * n_splits;
      const double block_flop = 2.0 * static_cast<double>(tile.n_rows * tile.n_columns) *
                                static_cast<double>(width) / n_splits;
      double seconds = static_cast<double>(quotient_up(n_blocks, card.n_multiprocessors)) *
                       block_flop / (rate * tile.share);
      if (n_splits > 1) {  // parts of sums are written, read and added
        seconds += n_splits * n_result * 2 * sizeof(float) / bandwidth(card);
      }
      if (best == 0 || seconds < best) best = seconds;
    }
  }
  const double flop = 2.0 * static_cast<double>(n_rows) * n_weights;
  return kernel(flop, best, bytes, card);
}

Item time_of_unpacking(const CardSetting& setting, std::int64_t height, std::int64_t width) {
  if (setting.quantization == Quantization::None) return {};
  // A block of 64 codes in 4 bits: 32 bytes and an absmax.
  const double code_bytes = setting.quantization == Quantization::Int8 ? 1.0 : 36.0 / 64.0;
  const double n_weights = static_cast<double>(height) * static_cast<double>(width);
  return kernel(0, 0, n_weights * (code_bytes + number_bytes(setting)), setting.card);
}

void add_card_time(const CardSetting& setting, const Workload& workload, Ledger& ledger) {
  PassTime prompts(setting, Phase::Prompts, ledger);
  for (const Pass& pack : workload.packs) prompts.add(pack);
  for (const std::int64_t n_rows : workload.n_first_rows) prompts.add_head(n_rows, false, true);
  prompts.add_planning(workload);
  prompts.add_host_time();
  for (const auto& [phase, passes] : {std::pair{Phase::Answers, &workload.steps},
                                      std::pair{Phase::Readouts, &workload.explored}}) {
    PassTime answers(setting, phase, ledger);
    for (const Pass& step : *passes) {
      answers.add(step);
      answers.add_head(step.n_rows, step.is_recorded, step.is_awaited);
      answers.add_host_time();
    }
  }
}

}  // namespace labelprobe::model::cost

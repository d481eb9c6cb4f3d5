#include "model/cost/workload.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "model/engine/chunk_plan.h"
#include "model/engine/segments.h"

namespace labelprobe::model::cost {
namespace {

constexpr std::int64_t kKeysPerTile = 64;
constexpr std::int64_t kThinTile = 8;
constexpr std::int64_t kRowsPerFlashTile = 128;

std::int64_t ratio_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

std::int64_t n_pairs_of(std::span<const KeySegment> segments) {
  std::int64_t n = 0;
  for (const KeySegment& segment : segments) {
    const std::int64_t n_rows = segment.end_row - segment.first_row;
    n += segment.mask == Mask::Causal ? n_rows * (n_rows + 1) / 2 : n_rows * segment.n_keys;
  }
  return n;
}

cuda::AttentionPlan plan_of(const AttentionKind& kind,
                            std::int64_t n_rows,
                            std::span<const KeySegment> segments) {
  cuda::AttentionShape shape = kind.shape;
  shape.n_rows = n_rows;
  return cuda::make_attention_plan(shape, segments);
}

void add_item(AttentionWork::Items& items, std::int64_t n_keys) {
  const std::int64_t n_tiles = ratio_up(n_keys, kKeysPerTile);
  ++items.n;
  items.n_tiles += n_tiles;
  items.n_keys += n_keys;
  items.n_most_tiles = std::max(items.n_most_tiles, n_tiles);
}

//   n_steps  that were taken since the plan was made
void add_items(const cuda::AttentionPlan& plan,
               int n_groups,
               std::int64_t n_steps,
               AttentionWork& work) {
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    const cuda::AttentionItem& item = plan.items[i];
    std::int64_t n_keys = item.n_keys;
    if (item.capacity > 0) {
      n_keys = std::clamp<std::int64_t>(n_keys + n_steps, 0, item.capacity);
    }
    const bool is_wide = static_cast<int>(i) < plan.n_wide;
    const bool is_thin = !is_wide && std::int64_t{item.n_rows} * n_groups <= kThinTile;
    add_item(is_wide ? work.wide : is_thin ? work.thin : work.narrow, n_keys);
  }
  work.n_parts = plan.n_parts;
}

void add_levels(const cuda::AttentionPlan& plan, AttentionWork& work) {
  for (const cuda::FlashLevel& level : plan.levels) {
    const auto n = static_cast<std::int64_t>(level.n_keys.size());
    ++work.n_flash_levels;
    // Each sequence gets as many blocks as the longest one needs.
    work.n_flash_blocks += n * ratio_up(level.n_most_rows, kRowsPerFlashTile);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t n_rows = level.first_rows[i + 1] - level.first_rows[i];
      work.n_flash_tiles +=
          ratio_up(n_rows, kRowsPerFlashTile) * ratio_up(level.n_keys[i], kKeysPerTile);
    }
  }
}

AttentionWork count_attention(const AttentionKind& kind,
                              std::int64_t n_rows,
                              std::span<const KeySegment> segments) {
  AttentionWork work;
  work.n_pairs = n_pairs_of(segments);
  if (!kind.is_gpu) return work;
  const cuda::AttentionPlan plan = plan_of(kind, n_rows, segments);
  add_items(plan, kind.shape.n_groups, 0, work);
  add_levels(plan, work);
  return work;
}

std::int64_t times(std::int64_t number, double factor) {
  return std::llround(static_cast<double>(number) * factor);
}

// The attention of so many times the rows.
AttentionWork times(AttentionWork work, double factor) {
  for (AttentionWork::Items* items : {&work.thin, &work.narrow, &work.wide}) {
    items->n = times(items->n, factor);
    items->n_tiles = times(items->n_tiles, factor);
    items->n_keys = times(items->n_keys, factor);
  }
  work.n_parts = times(work.n_parts, factor);
  work.n_flash_blocks = times(work.n_flash_blocks, factor);
  work.n_flash_tiles = times(work.n_flash_tiles, factor);
  return work;
}

class Counter {
 public:
  Counter(const Request& request,
          std::int64_t n_places_each,
          const Limits& limits,
          const DecoderMemory& memory,
          const AttentionKind& kind)
      : request_(request),
        n_places_each_(n_places_each),
        limits_(limits),
        kind_(kind),
        chosen_(runnable()),
        budget_(budget_of(request, chosen_, limits, memory)),
        tree_(request.prompts(),
              chosen_,
              request.options().share_prefixes ? Sharing::Prefixes : Sharing::None,
              budget_.rows_per_pack),
        plan_(tree_, budget_.rows_per_pack),
        node_rows_(tree_.nodes().size(), -1) {}

  Workload count() {
    for (const std::size_t i : chosen_) {
      work_.n_prompt_tokens += static_cast<std::int64_t>(request_.prompts()[i].size());
    }
    work_.n_sequences = static_cast<std::int64_t>(tree_.sequences().size());
    work_.n_arena_rows = std::min(budget_.arena_rows, n_rows_of_all(tree_, request_));
    const auto n_sequences = static_cast<int>(tree_.sequences().size());
    for (int first = 0; first < n_sequences;) {
      const int end = chunk_end(tree_, request_, first, limits_, n_sequences, budget_);
      plan_.add(end);
      for (const PackedNodes* pack :
           plan_.missing_packs([this](int node) { return node_rows_[node] >= 0; })) {
        count_pack(*pack);
      }
      work_.n_first_rows.push_back(end - first);
      count_steps(first, end);
      if (n_places_each_ > 0) count_explored(first, end);
      for (std::size_t i = 0; i < node_rows_.size(); ++i) {
        if (tree_.nodes()[i].end_sequence <= end) node_rows_[i] = -1;
      }
      first = end;
    }
    return std::move(work_);
  }

 private:
  std::vector<std::size_t> runnable() const {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < request_.prompts().size(); ++i) {
      if (request_.obstacle_of(i).empty()) chosen.push_back(i);
    }
    return chosen;
  }

  void count_pack(const PackedNodes& pack) {
    Pass pass;
    pass.n_rows = pack.n_rows;
    // Rows that the arena gives are never given twice here: which ones they are decides how long
    // the runs of an item are, and no time is told for that.
    for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
      node_rows_[pack.nodes[i]] = next_row_ + pack.first_rows[i];
    }
    next_row_ += pack.n_rows;
    for (const int node : pack.nodes) {
      for (int s = tree_.nodes()[node].first_sequence; s < tree_.nodes()[node].end_sequence; ++s) {
        if (tree_.sequences()[s].last_node != node) break;
        ++pass.n_kept;
      }
    }
    pass.attention = count_attention(kind_, pack.n_rows, pack_segments(tree_, pack, node_rows_));
    work_.n_prompt_rows += pack.n_rows;
    work_.packs.push_back(pass);
  }

  // As if there were equally many places at each depth. A place sees what a token of an answer
  // does; its attention is that of the last step, as many times as there are rows.
  void count_explored(int first, int end) {
    double n_rows = 0;
    double n_keys = 0;  // of all rows
    std::int64_t depth = 0;
    for (int s = first; s < end; ++s) {
      for (const std::size_t prompt : tree_.sequences()[s].prompts) {
        const std::int64_t of_prompt = request_.reach(prompt).depth;
        if (of_prompt == 0) continue;
        const double n_each = static_cast<double>(n_places_each_) / static_cast<double>(of_prompt);
        depth = std::max(depth, of_prompt);
        n_rows += n_each;
        n_keys += n_each * (static_cast<double>(request_.prompts()[prompt].size()) +
                            static_cast<double>(of_prompt) / 2.0);
      }
    }
    if (depth == 0) return;
    Pass pass;
    pass.n_rows = std::max<std::int64_t>(1, std::llround(n_rows));
    pass.n_kept = pass.n_rows;
    pass.is_awaited = true;
    if (kind_.is_gpu && !work_.steps.empty()) {
      const Pass& like = work_.steps.back();
      pass.attention = times(like.attention, n_rows / static_cast<double>(like.n_rows));
    }
    pass.attention.n_pairs = std::llround(n_keys);
    work_.explored.insert(work_.explored.end(), static_cast<std::size_t>(depth), pass);
  }

  // As if every answer took all of its tokens.
  void count_steps(int first, int end) {
    std::vector<std::int64_t> n_rows;
    for (int s = first; s < end; ++s) {
      n_rows.push_back(request_.n_new_tokens(tree_.sequences()[s]) - 1);
    }
    const std::int64_t n_steps = *std::max_element(n_rows.begin(), n_rows.end());
    if (n_steps == 0) return;
    StepSegments batch(tree_, node_rows_, first, n_rows, next_row_);
    next_row_ += std::accumulate(n_rows.begin(), n_rows.end(), std::int64_t{0});
    for (std::int64_t step = 0; step < n_steps;) step = count_steps_together(batch, n_rows, step);
  }

  // The steps from `step` on that the same sequences take; returns the one after them.
  std::int64_t count_steps_together(StepSegments& batch,
                                    std::span<const std::int64_t> n_rows,
                                    std::int64_t step) {
    const TokenId token = 0;
    std::vector<Continuation> live;
    std::int64_t end = std::numeric_limits<std::int64_t>::max();
    for (std::size_t i = 0; i < n_rows.size(); ++i) {
      if (n_rows[i] <= step) continue;
      live.push_back({static_cast<int>(i), step, std::span(&token, 1)});
      end = std::min(end, n_rows[i]);
    }
    const auto n_live = static_cast<std::int64_t>(live.size());
    const bool is_ahead =
        may_run_ahead(request_.options(), limits_.reading, limits_.rows_per_step, n_live);
    batch.place(live);
    std::vector<KeySegment> segments;
    batch.append(live, is_ahead ? Repeats::Yes : Repeats::No, segments);
    cuda::AttentionPlan plan;
    if (kind_.is_gpu) plan = plan_of(kind_, n_live, segments);
    const std::int64_t n_pairs = n_pairs_of(segments);
    const bool is_recorded = is_ahead && end - step > kFewestRecordedSteps;
    for (std::int64_t i = 0; i < end - step; ++i) {
      Pass pass{n_live, n_live, is_recorded && i > kRepeatsBeforeRecording, !is_ahead, {}};
      pass.attention.n_pairs = n_pairs + i * n_live;
      if (kind_.is_gpu) {
        add_items(plan, kind_.shape.n_groups, i, pass.attention);
        add_levels(plan, pass.attention);
      }
      work_.steps.push_back(pass);
    }
    return end;
  }

  const Request& request_;
  std::int64_t n_places_each_;
  const Limits& limits_;
  const AttentionKind& kind_;
  std::vector<std::size_t> chosen_;
  MemoryBudget budget_;
  PrefixTree tree_;
  ChunkPlan plan_;
  std::vector<std::int64_t> node_rows_;  // -1 where not there
  std::int64_t next_row_ = 0;
  Workload work_;
};

}  // namespace

Workload count_workload(const Request& request,
                        std::int64_t n_places_each,
                        const Limits& limits,
                        const DecoderMemory& memory,
                        const AttentionKind& kind) {
  return Counter(request, n_places_each, limits, memory, kind).count();
}

}  // namespace labelprobe::model::cost

// The door of this room: from a question to where the time and the memory go.
#include <algorithm>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/model/cost.h"

#include "model/cost/card_time.h"
#include "model/cost/cards.h"
#include "model/cost/cpu_time.h"
#include "model/cost/ledger.h"
#include "model/cost/memory.h"
#include "model/cost/planned_model.h"
#include "model/cost/share_sizes.h"
#include "model/cost/this_cpu.h"
#include "model/cost/workload.h"
#include "model/engine/limits.h"
#include "model/engine/request.h"
#include "weights/device/dtype.h"

namespace labelprobe::model {
namespace {

cost::AttentionKind attention_kind(const weights::DecoderConfig& config,
                                   const OpenOptions& options) {
  cost::AttentionKind kind;
  kind.is_gpu = options.device != cost::kThisCpu;
  kind.shape.n_groups = config.n_heads / config.n_kv_heads;
  kind.shape.is_wide_type = options.dtype == DType::Float32;
  kind.shape.is_fast = options.is_fast;
  // As CudaAttention::uses_flash() has it.
  kind.shape.allows_flash = options.is_fast && !kind.shape.is_wide_type && config.head_dim % 8 == 0;
  return kind;
}

std::vector<AttentionItems> attention_items(const cost::Workload& workload) {
  AttentionItems thin{"up to 8 queries"};
  AttentionItems narrow{"9 to 16 queries"};
  AttentionItems wide{"17 to 64 queries"};
  const auto add = [](AttentionItems& all, const cost::AttentionWork::Items& items) {
    all.n_items += items.n;
    all.n_keys += items.n_keys;
  };
  for (const auto* passes : {&workload.packs, &workload.steps, &workload.explored}) {
    for (const cost::Pass& pass : *passes) {
      add(thin, pass.attention.thin);
      add(narrow, pass.attention.narrow);
      add(wide, pass.attention.wide);
    }
  }
  return {thin, narrow, wide};
}

void add_load_time(const CostQuestion& question, double disk_bytes, cost::Ledger& ledger) {
  using cost::Bound;
  using cost::Phase;
  const bool is_gpu = question.options.device != cost::kThisCpu;
  ledger.add(Phase::Load, cost::Work::Start,
             {0, 0, 0, is_gpu ? cost::kStartSeconds + cost::kWarmUpSeconds : cost::kCpuStartSeconds,
              Bound::Host});
  ledger.add(Phase::Load, cost::Work::Reading,
             {0, disk_bytes, 0, disk_bytes / question.disk_rate, Bound::Disk});
}

Cost cost_on_cpu(const CostQuestion& question,
                 const cost::PlannedModel& model,
                 const cost::Workload& workload,
                 cost::Ledger& ledger) {
  int n_step_rows = 0;
  for (const cost::Pass& step : workload.steps) {
    n_step_rows = std::max(n_step_rows, static_cast<int>(step.n_rows));
  }
  const cost::CpuRates rates =
      cost::measure_this_cpu(model.config, question.options.dtype, model.info.quantization,
                             question.options.n_threads, n_step_rows);
  cost::add_cpu_time(model.config, rates, workload, ledger);
  Cost cost;
  cost.memory = {{"weights", static_cast<double>(model.info.weight_bytes)},
                 {"keys and values", static_cast<double>(workload.n_arena_rows) *
                                         static_cast<double>(model.info.cache_bytes_per_token)}};
  cost.memory_bytes = rates.memory_bytes;
  return cost;
}

Request request_of(const CostQuestion& question,
                   std::span<const TokenIds> prompts,
                   const GenerateOptions& options,
                   const ModelInfo& info) {
  if (question.reach.n_places == 0) return Request(prompts, options, info);
  ExploreOptions explored;
  explored.reach = {question.reach};
  explored.greedy = options;
  explored.batch_size = options.batch_size;
  explored.share_prefixes = options.share_prefixes;
  explored.is_answered = options.is_answered;
  return Request(prompts, explored, info);
}

}  // namespace

Cost estimate_cost(const CostQuestion& question,
                   std::span<const TokenIds> prompts,
                   const GenerateOptions& options) {
  const bool is_cpu = question.options.device == cost::kThisCpu;
  const cost::CardChoice chosen =
      is_cpu ? cost::CardChoice{} : cost::choose_cards(question.options.device);
  const cost::Card* card = chosen.card;
  if (question.n_processes > 1 && chosen.n > 1) {
    throw ConfigError(fmt::format("{} processes have one card each: expected --device {}, found {}",
                                  question.n_processes, card->name, question.options.device));
  }
  const cost::PlannedModel whole =
      cost::planned_model(question.model, question.options.dtype, question.options.quantization);
  const cost::PlannedModel model = cost::first_share(whole, question.n_processes);
  const Request request = request_of(question, prompts, options, model.info);
  // Each card computes its layers in its turn, so the time is that of one; a row's state,
  // which goes from one to the next, is 16 kB at most and left out.
  const cost::CardPart part = cost::fullest_part(model, chosen.n, card ? cost::bytes_of(*card) : 0);
  const double n_free = card ? cost::free_beside_weights(*card, part.model) : 0;
  Limits limits = card ? kGpuLimits : kCpuLimits;
  // As the engine has it.
  if (model.info.quantization == Quantization::Int8 || question.n_processes > 1) {
    limits.reading = Reading::BeforeNextStep;
  }
  const DecoderMemory memory{model.config, weights::dtype_bytes(question.options.dtype),
                             card != nullptr, static_cast<std::size_t>(n_free), part.n_layers};
  cost::Workload workload = cost::count_workload(request, question.n_places_each, limits, memory,
                                                 attention_kind(model.config, question.options));
  if (chosen.n > 1 || question.n_processes > 1) {  // recorded steps are one card's
    for (cost::Pass& step : workload.steps) step.is_recorded = false;
  }
  cost::Ledger ledger;
  add_load_time(question, model.disk_bytes, ledger);
  ledger.add(
      cost::Phase::Log, cost::Work::Records,
      {0, 0, 0, static_cast<double>(question.n_items) * cost::kRecordSeconds, cost::Bound::Host});
  ledger.add_rows(cost::Phase::Log, cost::Work::Records,
                  static_cast<std::int64_t>(question.n_items));
  Cost cost;
  if (card) {
    const cost::CardSetting setting{*card, model.config, question.options, model.info.quantization,
                                    options.n_top_tokens};
    cost::add_card_time(setting, workload, ledger);
    // What processes have computed each by itself, all of them hold then.
    weights::DecoderConfig joined = model.config;
    joined.intermediate_size = whole.config.intermediate_size;
    const cost::CardSetting of_memory{*card, joined, question.options, model.info.quantization,
                                      options.n_top_tokens};
    cost.memory = cost::memory_of(of_memory, part.model, workload);
    cost.memory_bytes = cost::bytes_of(*card);
    cost.advice = cost::advise(setting, part.model, cost.memory);
  } else {
    cost = cost_on_cpu(question, model, workload, ledger);
  }
  const auto title = std::find_if(card_names().begin(), card_names().end(), [&](const auto& known) {
    return known.name == (card ? card->name : std::string_view(question.options.device));
  });
  const int n_cards = std::max(chosen.n, question.n_processes);
  cost.card = n_cards > 1 ? fmt::format("{} x {}", n_cards, title->title) : title->title;
  cost.lines = ledger.lines();
  cost.load_seconds = ledger.seconds(cost::Phase::Load);
  cost.run_seconds = ledger.seconds(cost::Phase::Prompts) + ledger.seconds(cost::Phase::Answers) +
                     ledger.seconds(cost::Phase::Readouts) + ledger.seconds(cost::Phase::Log);
  if (card) cost.attention = attention_items(workload);
  return cost;
}

}  // namespace labelprobe::model

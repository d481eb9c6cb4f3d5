#include "model/cost/cpu_time.h"

#include <algorithm>
#include <utility>

namespace labelprobe::model::cost {
namespace {

// Numbers of a layer that are read or written beside the products, for each one of the hidden size:
// norms, sums, rotations, the arena. On the CPU they are float32.
constexpr double kPerHidden = 12;

class CpuTime {
 public:
  CpuTime(const weights::DecoderConfig& config, const CpuRates& rates, Phase phase, Ledger& ledger)
      : config_(config), rates_(rates), phase_(phase), ledger_(ledger) {}

  void add(const Pass& pass) {
    const double n_query = static_cast<double>(config_.n_heads) * config_.head_dim;
    const double n_key = static_cast<double>(config_.n_kv_heads) * config_.head_dim;
    const double n_attending = (n_query + 2 * n_key) * config_.hidden_size;
    const double n_rest =
        n_query * config_.hidden_size + 3.0 * config_.hidden_size * config_.intermediate_size;
    const auto n_rows = static_cast<double>(pass.n_rows);
    const double n_whole = n_rows * (config_.n_layers - 1);  // of all layers but the last
    const double n_finished = n_whole + static_cast<double>(pass.n_kept);
    add_product(Work::Products, 2.0 * ((n_whole + n_rows) * n_attending + n_finished * n_rest));
    const double pairs = static_cast<double>(pass.attention.n_pairs) * config_.n_layers;
    const double attention = 4.0 * pairs * n_query;
    ledger_.add(phase_, Work::Attention,
                {attention, 0, 0, attention / rates_.attention_flops, Bound::Arithmetic});
    add_bytes(Work::Rows, sizeof(float) * n_finished * kPerHidden * config_.hidden_size);
    add_exponentials(Work::Rows, n_finished * config_.intermediate_size);
    for (const Work work : {Work::Products, Work::Attention, Work::Rows}) {
      ledger_.add_rows(phase_, work, pass.n_rows);
    }
  }

  void add_head(std::int64_t n_rows) {
    const double n_logits = static_cast<double>(n_rows) * config_.vocab_size;
    add_product(Work::Logits, 2.0 * n_logits * config_.hidden_size);
    add_bytes(Work::Logits, 3.0 * n_logits * sizeof(float));  // written, read twice
    add_exponentials(Work::Logits, n_logits);
    ledger_.add_rows(phase_, Work::Logits, n_rows);
  }

 private:
  void add_product(Work work, double flop) {
    const double rate = phase_ == Phase::Prompts ? rates_.product_flops : rates_.step_flops;
    ledger_.add(phase_, work, {flop, 0, 0, flop / rate, Bound::Arithmetic});
  }

  void add_exponentials(Work work, double n) {
    ledger_.add(phase_, work, {0, 0, 0, n / rates_.exponentials, Bound::Arithmetic});
  }

  void add_bytes(Work work, double bytes) {
    ledger_.add(phase_, work, {0, bytes, 0, bytes / rates_.bytes_per_second, Bound::Memory});
  }

  const weights::DecoderConfig& config_;
  const CpuRates& rates_;
  Phase phase_;
  Ledger& ledger_;
};

}  // namespace

void add_cpu_time(const weights::DecoderConfig& config,
                  const CpuRates& rates,
                  const Workload& workload,
                  Ledger& ledger) {
  CpuTime prompts(config, rates, Phase::Prompts, ledger);
  for (const Pass& pack : workload.packs) prompts.add(pack);
  for (const std::int64_t n_rows : workload.n_first_rows) prompts.add_head(n_rows);
  for (const auto& [phase, passes] : {std::pair{Phase::Answers, &workload.steps},
                                      std::pair{Phase::Readouts, &workload.explored}}) {
    CpuTime answers(config, rates, phase, ledger);
    for (const Pass& step : *passes) {
      answers.add(step);
      answers.add_head(step.n_rows);
    }
  }
}

}  // namespace labelprobe::model::cost

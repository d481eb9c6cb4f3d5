#include "labelprobe/experiment/grid.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

namespace {

// Jobs are checked before any runs, and their prompts kept up to about this many tokens, those of
// the other jobs being made a second time.
constexpr std::int64_t kMostTokensKept = 20'000'000;

auto model_key(const ModelLoading& loading) {
  const model::OpenOptions& options = loading.options;
  return std::tuple(loading.name, loading.packed_copy, options.dtype, options.device,
                    options.n_threads, options.quantization, options.weights, options.allows_tf32,
                    options.is_fast);
}

class GridRun {
 public:
  GridRun(std::span<const GridJob> jobs, Workbench& workbench, GridListener& listener)
      : jobs_(jobs),
        order_(order_of_work(jobs)),
        prepared_(jobs.size()),
        results_(jobs.size()),
        workbench_(workbench),
        listener_(listener) {}

  std::vector<GridResult> run() {
    for (std::size_t place = 0; place < order_.size(); ++place) {
      attempt(place, [&] { check(order_[place]); });
    }
    for (std::size_t place = 0; place < order_.size(); ++place) {
      if (!results_[order_[place]].error) {
        attempt(place, [&] { carry_out(place); });
      }
    }
    return std::move(results_);
  }

 private:
  template <typename Work>
  void attempt(std::size_t place, const Work& work) {
    try {
      work();
    } catch (const std::exception& error) {
      results_[order_[place]].error = std::current_exception();
      listener_.on_error(place, jobs_.size(), jobs_[order_[place]], error);
    }
  }

  void check(std::size_t i) {
    if (jobs_[i].mistake) {
      std::rethrow_exception(jobs_[i].mistake);
    }
    PreparedJob prepared = prepare(jobs_[i].job, workbench_);
    n_tokens_kept_ += prepared.preparation.token_counts.n_prompt_tokens;
    if (n_tokens_kept_ <= kMostTokensKept) {
      prepared_[i] = std::move(prepared);
    }
  }

  void carry_out(std::size_t place) {
    const std::size_t i = order_[place];
    listener_.on_job(place, jobs_.size(), jobs_[i]);
    const PreparedJob prepared =
        prepared_[i] ? std::move(*prepared_[i]) : prepare(jobs_[i].job, workbench_);
    prepared_[i].reset();
    for (const std::string& sentence : prepared.warnings) {
      if (warned_.insert(sentence).second) {  // most hold for every job
        listener_.on_warning(sentence);
      }
    }
    if (prepared.job.is_dry_run) {
      listener_.on_dry_run(prepared);
    } else {
      if (const auto reason = listener_.refuses(prepared)) throw ConfigError(*reason);
      results_[i].result = experiment::carry_out(prepared, workbench_, listener_);
    }
  }

  std::span<const GridJob> jobs_;
  std::vector<std::size_t> order_;
  std::vector<std::optional<PreparedJob>> prepared_;
  std::vector<GridResult> results_;
  Workbench& workbench_;
  GridListener& listener_;
  std::set<std::string> warned_;
  std::int64_t n_tokens_kept_ = 0;
};

}  // namespace

std::vector<std::size_t> order_of_work(std::span<const GridJob> jobs) {
  std::map<decltype(model_key({})), std::size_t> ranks;  // in the order of first use
  std::vector<std::pair<std::size_t, std::size_t>> ranked;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    ranked.emplace_back(ranks.try_emplace(model_key(jobs[i].job.model), ranks.size()).first->second,
                        i);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::size_t> order;
  for (const auto& [rank, i] : ranked) {
    order.push_back(i);
  }
  return order;
}

std::vector<GridResult> run_grid(std::span<const GridJob> jobs,
                                 Workbench& workbench,
                                 GridListener& listener) {
  return GridRun(jobs, workbench, listener).run();
}

}  // namespace labelprobe::experiment

#include "experiment/grid/shard_job.h"

#include <optional>
#include <utility>

#include "labelprobe/experiment/shards.h"
#include "labelprobe/files/claim.h"

namespace labelprobe::experiment {

namespace {

// The run as an earlier process has finished it, unless another repetition is asked for.
std::optional<JobResult> find_finished(const record::RunRequest& request) {
  if (request.if_finished == record::IfFinished::Append) return std::nullopt;
  const record::RunPreview preview = record::preview(request);
  if (!preview.is_finished) return std::nullopt;
  return JobResult{.folder = preview.folder,
                   .experiment_index = preview.experiment_index,
                   .was_finished = true,
                   .n_failed = preview.n_failed};
}

void take_over(const Merged& merged, JobResult& result) {
  result.folder = merged.folder;
  result.experiment_index = merged.experiment_index;
  result.n_failed = merged.outcome.n_failed;
  result.notes = merged.notes;
  result.merged = merged.outcome;
}

// Whether the shard is over, be it by an earlier process.
bool end_shard(const PreparedJob& prepared,
               Workbench& workbench,
               JobListener& listener,
               const record::ShardPlan& plan,
               record::ShardLog& log,
               JobResult& result) {
  if (log.was_finished()) return true;
  std::vector<bool> is_asked;
  for (const int shard : plan.shard_of) is_asked.push_back(shard == prepared.job.shard->index);
  compute(prepared, workbench, listener, log, result,
          [&](const auto& open_model, const auto& on_progress, IfFailed if_failed) {
            return run_shard(prepared.job.settings, prepared.preparation, open_model, log, is_asked,
                             on_progress, if_failed);
          });
  return !result.is_unfinished;
}

}  // namespace

JobResult carry_out_shard(const PreparedJob& prepared,
                          Workbench& workbench,
                          JobListener& listener) {
  record::ShardPlan plan = plan_shards(prepared);
  plan.request.patience.on_wait = [&](const std::string& text) { listener.on_wait(text); };
  const std::filesystem::path folder = record::shards_folder(plan.request);
  for (;;) {
    if (const auto finished = find_finished(plan.request)) {
      if (record::is_shards_folder(folder)) merge_shards(folder, plan.request.patience);
      listener.on_finished_before(*finished);
      return *finished;
    }
    JobResult result{.folder = folder};
    {
      auto log = record::ShardLog::open(plan, prepared.job.shard->index);
      if (!log) continue;  // merged while it was waited for
      result.notes = log->notes();
      if (!end_shard(prepared, workbench, listener, plan, *log, result)) return result;
    }
    // Who ends last finds all of them finished; it may be that another process has, meanwhile, and
    // then this shard is in what that has made, though it be asked for again.
    plan.request.if_finished = record::IfFinished::Keep;
    if (!record::is_shards_folder(folder)) continue;
    const std::vector<record::ShardView> shards = record::ShardSet::open(folder).shards();
    result.shards_left = record::describe_left(shards);
    if (result.shards_left.empty() || files::Claim::holder(record::merging_path(folder))) {
      const auto merged = merge_shards(folder, plan.request.patience);
      if (!merged) continue;  // by another process
      take_over(*merged, result);
      result.shards_left.clear();
    }
    listener.on_shard(prepared, result);
    return result;
  }
}

}  // namespace labelprobe::experiment

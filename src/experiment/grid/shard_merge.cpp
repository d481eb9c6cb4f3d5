#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/shards.h"
#include "labelprobe/files/claim.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/record/row_file.h"

#include "experiment/run/inside_files.h"
#include "experiment/run/item_notes.h"
#include "experiment/run/scoring.h"
#include "experiment/served/token_log.h"

namespace labelprobe::experiment {

namespace {

using nlohmann::json;

// What metrics need of a run's questions.
struct Scoring {
  const Plan* plan = nullptr;
  LabelSet answer_set;
  std::vector<std::optional<Labels>> right;  // [n_queries]
  std::optional<TokenLog::Prices> prices;    // of a server's tokens
};

std::string encode(const Scoring& scoring) {
  json right = json::array();
  for (const auto& labels : scoring.right) right.push_back(labels ? json(*labels) : json());
  json node = {{"plan", scoring.plan->name},
               {"labels", scoring.answer_set.names()},
               {"several_labels", scoring.answer_set.is_multilabel()},
               {"right", right}};
  if (scoring.prices) node["prices"] = *scoring.prices;
  return node.dump();
}

// Throws a JSON exception for what is none.
Scoring decode(const json& node) {
  Scoring scoring;
  scoring.plan = &find_plan(node.at("plan").get<std::string>());
  scoring.answer_set = LabelSet(
      node.at("labels").get<std::vector<std::string>>(),
      node.at("several_labels").get<bool>() ? LabelKind::MultiLabel : LabelKind::SingleLabel);
  for (const json& labels : node.at("right")) {
    scoring.right.push_back(labels.is_null() ? std::nullopt : std::optional(labels.get<Labels>()));
  }
  if (node.contains("prices")) scoring.prices = node.at("prices").get<TokenLog::Prices>();
  return scoring;
}

Scoring scoring_of(const record::ShardSet& set) {
  std::string finding = "its labels do not fit its items";
  try {
    Scoring scoring = decode(json::parse(set.plan().scoring));
    const auto fits = [&](const std::optional<Labels>& labels) {
      return !labels || std::all_of(labels->begin(), labels->end(), [&](LabelIndex label) {
        return label >= 0 && label < scoring.answer_set.size();
      });
    };
    if (scoring.right.size() == set.plan().keys.size() &&
        std::all_of(scoring.right.begin(), scoring.right.end(), fits)) {
      return scoring;
    }
  } catch (const json::exception& error) {
    finding = error.what();
  }
  throw DataError(
      fmt::format("{}: shards.json is damaged ({}); restore it, or remove the folder and give the "
                  "shards' commands again",
                  set.folder().string(), finding));
}

class Merge {
 public:
  Merge(const record::ShardSet& set, record::Run& run)
      : set_(set), plan_(set.plan()), run_(run), scoring_(scoring_of(set)) {}

  Outcome carry_out() {
    std::vector<std::filesystem::path> folders;
    for (int shard = 1; shard <= plan_.n_shards; ++shard) {
      take(shard);
      folders.push_back(set_.folder_of(shard));
    }
    sum_token_logs(run_.folder(), run_.experiment_index(), folders, scoring_.prices);
    std::vector<std::unique_ptr<record::RowFile>> rows = take_rows();
    ItemNotes notes(plan_.keys.size(), scoring_.answer_set);
    for (std::size_t i = 0; i < plan_.keys.size(); ++i) {
      notes.take(i, run_.finished().at(plan_.keys[i]));
    }
    Outcome outcome;
    outcome.n_items = plan_.keys.size();
    notes.tally(outcome);
    RunMetrics metrics = score(*scoring_.plan, scoring_.answer_set, scoring_.right, notes);
    for (const auto& file : rows) file->finish(plan_.keys);
    run_.finish(plan_.keys, metrics.aggregate, metrics.annotators);
    for (const auto& file : rows) file->forget();
    if (metrics.aggregate) outcome.metrics = std::move(*metrics.aggregate);
    return outcome;
  }

 private:
  // What an earlier merge, or one process that did not come to its end, has of it already is the
  // same.
  void take(int shard) {
    for (const record::Provenance& made : set_.provenance_of(shard)) run_.add_provenance(made);
    constexpr std::size_t kItemsAtOnce = 256;
    std::vector<record::ItemRecord> fresh;
    const record::ItemStore items = set_.stored_items(shard);
    for (const std::string& key : plan_.keys_of(shard)) {
      record::ItemRecord item = items.at(key);
      const record::ItemStore& there = run_.finished();
      if (there.contains(key) && there.at(key) == item) continue;
      fresh.push_back(std::move(item));
      if (fresh.size() < kItemsAtOnce) continue;
      run_.append(fresh);
      fresh.clear();
    }
    run_.append(fresh);
    const std::filesystem::path said = set_.folder_of(shard) / "log.txt";
    if (files::size_of(said).value_or(0) > 0) {
      files::Disk disk;
      disk.open_append(run_.folder() / "log.txt").append(files::MappedFile(said).text());
    }
  }

  std::vector<std::unique_ptr<record::RowFile>> take_rows() {
    std::vector<std::unique_ptr<record::RowFile>> files;
    for (const record::RowLayout& layout : plan_.rows) {
      auto& all = files.emplace_back(
          std::make_unique<record::RowFile>(run_.folder(), run_.experiment_index(), layout));
      for (int shard = 1; shard <= plan_.n_shards; ++shard) {
        const std::vector<std::string> keys = plan_.keys_of(shard);
        if (keys.empty()) continue;
        const record::RowFile of_shard(set_.folder_of(shard), 0, layout);
        for (const std::string& key : keys) {
          if (!of_shard.has(key)) {
            throw DataError(fmt::format(
                "{}: the {} of item '{}' are not there; remove the file finished.json beside them "
                "and give the run's command with --shard {}/{}",
                set_.folder_of(shard).string(), layout.name, key, shard, plan_.n_shards));
          }
          if (!all->has(key)) all->append(key, of_shard);
        }
      }
    }
    return files;
  }

  const record::ShardSet& set_;
  const record::ShardPlan& plan_;
  record::Run& run_;
  Scoring scoring_;
};

// The run, where one process has done all of it meanwhile, so that the shards are of no use.
std::optional<Merged> find_finished(const record::ShardSet& set,
                                    const record::RunRequest& request) {
  if (request.if_finished == record::IfFinished::Append) return std::nullopt;
  const record::RunPreview preview = record::preview(request);
  if (!preview.is_finished) return std::nullopt;
  for (const record::ShardView& shard : set.shards()) {
    if (shard.state == record::ShardState::Running) {
      throw files::LockedError(
          fmt::format("{}: {} is at shard {}, though the run is finished in {}; end it, then merge",
                      set.folder().string(), shard.holder, shard.index, preview.folder.string()));
    }
  }
  Merged merged;
  merged.folder = preview.folder;
  merged.experiment_index = preview.experiment_index;
  merged.was_finished = true;
  merged.outcome.n_failed = preview.n_failed;
  return merged;
}

}  // namespace

record::ShardPlan plan_shards(const PreparedJob& prepared) {
  LABELPROBE_CHECK(prepared.job.shard.has_value());
  const Settings& settings = prepared.job.settings;
  const Questions& questions = prepared.preparation.questions;
  record::ShardPlan plan;
  plan.request = prepared.job.request;
  plan.n_shards = prepared.job.shard->n;
  for (const prompt::Query& query : questions.queries) plan.keys.push_back(query.item.log_key());
  plan.shard_of = assign_shards(prepared.preparation.prompts, plan.n_shards);
  plan.rows = layouts_of(settings.inside, prepared.model_info);
  Scoring scoring{settings.plan, questions.answer_set, right_answers(settings, questions),
                  std::nullopt};
  if (prepared.job.model.served) scoring.prices = prepared.job.model.served->prices;
  plan.scoring = encode(scoring);
  return plan;
}

std::optional<Merged> merge_shards(const std::filesystem::path& shards_folder,
                                   const files::Patience& patience) {
  const auto merging = files::Claim::take(record::merging_path(shards_folder), patience,
                                          "merges the shards of this run");
  if (!merging || !record::is_shards_folder(shards_folder)) return std::nullopt;
  const record::ShardSet set = record::ShardSet::open(shards_folder);
  Merged merged;
  if (const auto folder = set.merged_into()) {
    merged.folder = *folder;
    merged.was_finished = true;
    set.remove();
    return merged;
  }
  record::RunRequest request = set.plan().request;
  request.patience = patience;
  if (const auto finished = find_finished(set, request)) {
    set.remove();
    return finished;
  }
  set.check_complete();
  {
    record::Run run = record::Run::open(request);
    merged.folder = run.folder();
    merged.experiment_index = run.experiment_index();
    merged.notes = run.notes();
    merged.was_finished = run.was_finished();
    if (run.was_finished()) {
      merged.outcome.n_failed = run.n_failed();
    } else {
      set.note_target(run);
      merged.outcome = Merge(set, run).carry_out();
    }
  }
  set.remove();
  return merged;
}

}  // namespace labelprobe::experiment

// One run on disk: which folder it belongs to, what of it is finished already, and the files it
// ends in. Goals: nothing finished is lost when the process dies; the same command goes on and ends
// in the same bytes; earlier experiments of the folder are never read or written again. Non-goals:
// knowing how items are computed. Layout and naming follow the logs of the published code: <log
// root>/<category>/<name>_<k>/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "labelprobe/files/disk.h"
#include "labelprobe/record/item_log.h"
#include "labelprobe/record/item_record.h"
#include "labelprobe/record/provenance.h"

namespace labelprobe::record {

using ParamValue =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

// What a parameter that runs of one folder may differ in says about them.
enum class Bearing {
  Result,      // runs that differ here are two
  Repetition,  // likewise, and each counts in the means over the folder: a seed
  Process,     // how a process went about it: runs that differ here alone are the same run
};

// One resolved option, given or defaulted. Names are spelled with underscores, as in the published
// logs.
struct Param {
  std::string name;
  ParamValue value;
  bool is_comparable =
      true;  // false: runs that differ only here share a folder (seed, logging, ...)
  std::optional<int> name_priority =
      {};  // set: part of the default folder name, higher priorities first
  Bearing bearing = Bearing::Result;
};

// What becomes of a request whose run is finished already.
enum class IfFinished {
  Keep,    // that run is the answer
  Append,  // the folder gets another experiment of the same parameters
};

// In what the published programs' logs differ.
struct LogLayout {
  // test_scores is the list of all label steps instead of the first one's.
  bool scores_are_all_steps = false;
  // Items of annotators other than `aggregate` go to annotator_preds.yml instead of
  // indexed_metrics.yml; aggregated_*.yml hold means and confidence intervals over the folder's
  // experiments, keyed by description.
  bool sets_annotators_apart = false;
};
// The layout of the published plain and pair prompting.
inline constexpr LogLayout kPlainLayout = {.scores_are_all_steps = true,
                                           .sets_annotators_apart = true};

// Throws DataError for an item that no log can hold: its key or its annotator is a name that logs
// keep for themselves.
void check_loggable(const std::string& key, const std::string& annotator);

struct RunRequest {
  std::filesystem::path log_root = "logs";
  std::string category;  // the task's name
  LogLayout layout;
  std::string alternative_name;  // template with {param}, may contain '/'; empty = the default name
  std::string description;       // prefixes custom files where not empty
  std::vector<Param> params;
  // Everything beyond the parameters that the records depend on, by what it is ("tokenizer"), each
  // as a fingerprint or a short text. A journal made of other contents is set aside, not continued;
  // a run finished under others is another run.
  std::map<std::string, std::string> contents;
  std::optional<std::size_t> n_items;  // of the run, for those who look at it before its end
  IfFinished if_finished = IfFinished::Keep;
  // Whether items that are recorded as failed are computed again, of an unfinished run and of a
  // finished one, whose files are then replaced.
  bool retries_failed = false;
  // A folder of equal runs that is not where `alternative_name` says moves there; else this run
  // gets a folder of that name.
  bool moves_equal = false;
  // For other processes that write the folder or do the same run. `on_wait` gets a sentence.
  files::Patience patience;
};

// Throws ConfigError for names that no log can have, before anything is computed for it: the
// category, the expanded alternative name, the description.
void check_names(const RunRequest& request);

// Where open() would write, without writing anything.
struct RunPreview {
  std::filesystem::path folder;
  int experiment_index = 0;    // of `experiment_<i>`, from 0
  bool is_finished = false;    // nothing is left to do
  std::size_t n_failed = 0;    // items of a finished run that are recorded as failed
  std::size_t n_finished = 0;  // items a resumed run would not compute again
  // Sentences for people: the experiments that are there, what would not be taken over and why.
  std::vector<std::string> notes;
  std::vector<std::string> files;  // names of those that the run would add to or replace
};
RunPreview preview(const RunRequest& request);

// Metric name -> value, e.g. "micro_f1"; written as test_<name>, sorted.
using Metrics = std::map<std::string, double>;

class Run final : public ItemLog {
 public:
  // Chooses or makes the folder, locks it against a second writer and takes up an unfinished
  // experiment of the same parameters and contents. A folder whose experiment is finished is
  // neither locked nor moved; one whose manifest or numbers.yml is damaged is passed over and
  // named. Runs that differ in a seed go on in one folder at the same time; for a process that does
  // the same run is waited. Throws ConfigError if the folder cannot be written or the name template
  // has an unknown {param}, files::LockedError if the patience ends.
  static Run open(const RunRequest& request);
  ~Run() override;
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;

  const std::filesystem::path& folder() const override;
  int experiment_index() const override;

  // Whether an earlier process finished this run: then there is nothing to append or to finish.
  bool was_finished() const;
  std::size_t n_failed() const;  // of its items, as recorded then

  // Whether an earlier process finished this run and only what had failed is to be computed again:
  // then finished() lacks what failed.
  bool is_retry() const;

  const std::vector<std::string>& notes() const override;
  const ItemStore& finished() const override;
  void add_provenance(const Provenance& provenance) override;
  void append(std::span<const ItemRecord> items) override;

  // Writes the YAML files and closes the experiment. Their bytes depend on the items alone, not on
  // the order in which they came. Those of a retry replace the earlier ones, which stay readable
  // until then.
  //   keys     the items of this run, each appended before or found in finished(), none twice
  //   metrics  of the annotator `aggregate`; no value = the run stores none (metrics.yml gets no
  //            entry)
  //   annotator_metrics  of the other annotators, by name
  // Throws InternalError if a key has no item.
  void finish(std::span<const std::string> keys,
              const std::optional<Metrics>& metrics,
              const std::map<std::string, Metrics>& annotator_metrics);

 private:
  struct State;
  explicit Run(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace labelprobe::record

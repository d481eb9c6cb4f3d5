#include "labelprobe/record/logged_run.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/core/utf8.h"

#include "record/log/log_reader.h"
#include "record/log/run_head.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "experiment_";

// What all items look like, for an id may look like another form's item.
const ItemForm& common_form(const std::vector<ItemRecord>& items) {
  const ItemForm& first = item_form_of(items.front().key);
  const bool are_alike = std::all_of(items.begin(), items.end(), [&](const ItemRecord& item) {
    return &item_form_of(item.key) == &first;
  });
  return are_alike ? first : kPlainItems;
}

// What a log without a plan's name in it looks like.
std::string plan_by_items(const std::vector<ItemRecord>& items) {
  const bool are_checked = std::any_of(items.begin(), items.end(), [](const ItemRecord& item) {
    return !item.checked_label.empty();
  });
  if (are_checked) return "assess";
  return std::string(items.empty() ? "" : common_form(items).plan);
}

// Every item's form, as far as the parameters tell, and the annotator that follows from it. Throws
// DataError if they name a plan whose items are called otherwise.
void set_forms(LoggedRun& run) {
  const ItemForm* named = named_form_of_plan(run.plan);
  for (ItemRecord& item : run.items) {
    if (named && &item_form_of(item.key) != named) {
      throw DataError(
          fmt::format("{}: params.yml says distribution {}, but the items look like '{}'",
                      describe(run), run.plan, item.key));
    }
    if (!run.params.empty()) item.known_form = named ? named : &kPlainItems;
    item.annotator = ItemId::parse(item.key, item.form()).pseudo_annotator();
  }
}

// The labels an item speaks of.
std::vector<std::string> labels_of(const ItemRecord& item) {
  const ItemForm& form = item.form();
  if (form.asks_about_labels()) {
    return ItemId::parse(item.key, form).parts;
  }
  std::vector<std::string> names;
  for (const auto& [name, prob] : item.first_probs()) names.push_back(name);
  return names;
}

// Whether `run` is `earlier` done again, as --again appends it.
bool is_done_again(const LoggedRun& earlier, const LoggedRun& run) {
  const auto told = [](const LoggedRun& one, const char* name) {
    const auto found = one.params.find(name);
    return found == one.params.end() ? "" : found->second;
  };
  return !told(run, "seed").empty() && told(run, "seed") == told(earlier, "seed") &&
         told(run, "description") == told(earlier, "description");
}

// A step's probabilities are those of all labels.
void check_complete(const LoggedRun& run,
                    const ItemRecord& item,
                    const std::vector<std::string>& found,
                    const std::string& task,
                    const LabelSet& label_set) {
  for (const std::string& label : label_set.names()) {
    const bool is_there = std::any_of(found.begin(), found.end(), [&](const std::string& name) {
      return ascii_lower(name) == label;
    });
    if (!is_there) {
      throw DataError(
          fmt::format("{}: item '{}' has no probability of '{}', which is a label of {} with these "
                      "options. Is the log of another data set, or of another label set of it?",
                      describe(run), item.key, label, task));
    }
  }
}

}  // namespace

std::string describe(const LoggedRun& run) {
  std::string name = run.folder.string();
  while (name.size() > 1 && name.ends_with('/')) {
    name.pop_back();
  }
  return fmt::format("{}, experiment {}", name, run.index);
}

LoggedRun read_run(const fs::path& folder, std::optional<int> index, Annotators annotators) {
  LoggedRun run = read_head(folder, index, Unfinished::Refused);
  run.items = read_items(folder, run.index);
  if (run.plan.empty()) run.plan = plan_by_items(run.items);
  set_forms(run);
  if (annotators == Annotators::All) {
    std::vector<ItemRecord> others = read_annotator_items(folder, run.index);
    run.items.insert(run.items.end(), std::move_iterator(others.begin()),
                     std::move_iterator(others.end()));
  }
  return run;
}

RunName parse_run_name(const std::string& given) {
  fs::path folder = given;
  if (folder.filename().empty() && folder.has_parent_path() && folder != folder.root_path()) {
    folder = folder.parent_path();  // a slash at the end
  }
  const std::string last = folder.filename().string();
  if (last.starts_with(kPrefix) && !fs::exists(folder)) {
    int number = 0;
    const char* end = last.data() + last.size();
    const auto [stop, error] = std::from_chars(last.data() + kPrefix.size(), end, number);
    if (error == std::errc() && stop == end && number >= 0) {
      return {folder.has_parent_path() ? folder.parent_path() : fs::path("."), number};
    }
  }
  return {folder, std::nullopt};
}

std::vector<LoggedRun> read_named_runs(const std::string& given) {
  const RunName named = parse_run_name(given);
  if (named.index) return {read_run(named.folder, named.index)};
  std::vector<LoggedRun> runs;
  const FinishedExperiments finished = find_finished(named.folder);
  for (const int index : finished.indices) {
    LoggedRun run = read_run(named.folder, index);
    std::erase_if(runs, [&](const LoggedRun& earlier) {
      return finished.have_params && is_done_again(earlier, run);
    });
    runs.push_back(std::move(run));
  }
  if (runs.empty()) runs.push_back(read_run(named.folder));  // says what is wrong
  return runs;
}

std::string task_of(const LoggedRun& run) {
  const auto root = run.params.find("log_root");
  if (root == run.params.end()) return "";
  const fs::path folder = fs::weakly_canonical(run.folder);
  const fs::path last = fs::path(root->second).lexically_normal().filename();
  // The innermost one of that name, below which there are the data set and the run.
  fs::path task;
  for (auto part = folder.begin(); part != folder.end(); ++part) {
    const auto next = std::next(part);
    if (*part == last && next != folder.end() && std::next(next) != folder.end()) task = *next;
  }
  return task.string();
}

void check_labels(const LoggedRun& run, const std::string& task, const LabelSet& label_set) {
  const std::vector<std::string> known = label_set.names_with_none();
  for (const ItemRecord& item : run.items) {
    const bool is_of_example = &item.form() == &kPlainItems;
    const std::vector<std::string> found = labels_of(item);
    if (is_of_example && item.is_label_found()) {
      check_complete(run, item, found, task, label_set);
    }
    for (const std::string& label : found) {
      if (std::find(known.begin(), known.end(), ascii_lower(label)) == known.end()) {
        throw DataError(fmt::format(
            "{}: item '{}' has the label '{}', which {} does not have with these options: {}. Is "
            "the log of another data set?",
            describe(run), item.key, label, task, unknown_choice("label", label, known)));
      }
    }
  }
}

}  // namespace labelprobe::record

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/data/soft_labels.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/read_files.h"

#include "data/assemble.h"
#include "data/cleaning/text_preprocessor.h"
#include "data/reading/records.h"
#include "data/tasks/task_form.h"
#include "data/tasks/task_loading.h"

namespace labelprobe::data {

namespace {

struct Entry {
  DatasetInfo info;
  TextDomain domain;
  LoadedSplits (*load)(const DatasetOptions&);
};

constexpr bool kAnnotators = true;
constexpr bool kLineNumbersAsIds = true;

// Every data set we know, in the order --help shows them.
constexpr std::array kDatasets = {
    Entry{{"GoEmotions",
           "Reddit comments, 27 emotions or seven clusters of them, several annotators each",
           "multi-label", kAnnotators},
          TextDomain::Reddit,
          load_go_emotions},
    Entry{
        {"Hatexplain", "Twitter and Gab posts; hate, normal or offensive; several annotators each",
         "single-label", kAnnotators},
        TextDomain::Other,
        load_hatexplain},
    Entry{{"MFRC", "Reddit comments, moral foundations, several annotators each", "multi-label",
           kAnnotators},
          TextDomain::Reddit,
          load_mfrc},
    Entry{{"SemEval", "tweets in English, Arabic or Spanish; 11 emotions (SemEval 2018 Task 1 E-c)",
           "multi-label", !kAnnotators},
          TextDomain::Twitter,
          load_sem_eval},
    Entry{
        {"MSPPodcast", "transcribed speech, primary or secondary emotions, several annotators each",
         "single-label; multi-label with multilabel", kAnnotators},
        TextDomain::Other,
        load_msp_podcast},
    Entry{{"Boxes", "stories of boxes and objects, what is in one box at the end", "multi-label",
           !kAnnotators},
          TextDomain::Other,
          load_boxes},
    Entry{{"TREC", "questions, the kind of thing that is asked for", "single-label", !kAnnotators,
           kLineNumbersAsIds},
          TextDomain::Other,
          load_trec},
    Entry{{"MMLUPro", "multiple-choice questions with up to ten options", "single-label",
           !kAnnotators},
          TextDomain::Other,
          load_mmlu_pro},
    Entry{{"QueerReclaimLex",
           "posts with reclaimed slurs, harm by authors in or out of the group, two ratings",
           "multi-label; single-label with type in or out", kAnnotators},
          TextDomain::Twitter,
          load_queer_reclaim_lex},
};

const Entry& find_entry(std::string_view name) {
  std::vector<std::string> known;
  for (const Entry& entry : kDatasets) {
    if (entry.info.name == name) {
      return entry;
    }
    known.emplace_back(entry.info.name);
  }
  throw ConfigError(unknown_choice("data set", name, known) +
                    "; one of your own is named by the path of its task file, my_task.yaml");
}

void check_range(std::string_view option, const std::optional<PositionRange>& range) {
  if (range && (range->begin < 0 || range->end < range->begin)) {
    throw ConfigError(fmt::format("{}: expected positions 0 <= begin <= end, found {} {}", option,
                                  range->begin, range->end));
  }
}

// A data set as load() takes it: one of the table, or that of a task file.
struct Source {
  TaskInfo info;
  TextDomain domain = TextDomain::Other;
  const Entry* entry = nullptr;  // null: of a task file
  std::optional<TaskFile> task = {};
};

Source find_source(std::string_view name) {
  if (!is_task_file(name)) {
    const Entry& entry = find_entry(name);
    const DatasetInfo& info = entry.info;
    return {{std::string(info.name), info.has_annotators, info.has_line_numbers_as_ids},
            entry.domain,
            &entry};
  }
  TaskFile task = read_task_file(name);
  TaskInfo info = describe(task);
  const TextDomain domain = task.domain;
  return {std::move(info), domain, nullptr, std::move(task)};
}

void check_options(const Source& source, const DatasetOptions& options) {
  const std::string& name = source.info.name;
  const bool is_aggregate = options.annotation_mode == AnnotationMode::Aggregate;
  if (options.splits.empty()) {
    throw ConfigError(name + ": expected at least one split, found none");
  }
  if (options.root_dir.empty() && !source.task) {
    throw ConfigError(name + ": expected root_dir, the folder with the set's files, found none");
  }
  const bool has_clusters = source.entry && source.entry->load == load_go_emotions;
  if (!options.emotion_clustering_json.empty() && !has_clusters) {
    throw ConfigError(name + ": emotion_clustering_json is no option of this data set");
  }
  if (!is_aggregate && !source.info.has_annotators) {
    throw ConfigError(name + ": expected annotation_mode aggregate: the set has no annotators");
  }
  if (!options.word_statistics.empty() && !options.text_preprocessor) {
    throw ConfigError(name + ": word_statistics serves text_preprocessor only; set that to true");
  }
  if (options.keep_one_after_filtering && options.annotation_mode == AnnotationMode::Annotator) {
    throw ConfigError(name +
                      ": keep_one_after_filtering makes aggregate items, which annotation_mode "
                      "annotator drops; use annotation_mode aggregate or both");
  }
  check_range("debug_len", options.debug_len);
  check_range("debug_ann", options.debug_ann);
}

// Unset where there is nothing to clean.
std::optional<TextPreprocessor> make_preprocessor(TextDomain domain,
                                                  const DatasetOptions& options) {
  if (!options.text_preprocessor || domain == TextDomain::Other) {
    return std::nullopt;
  }
  std::optional<WordStatistics> statistics;
  if (!options.word_statistics.empty()) {
    statistics.emplace(options.word_statistics);
  }
  return TextPreprocessor(domain, std::move(statistics));
}

std::vector<SourceFile> with_fingerprints(const std::vector<std::filesystem::path>& paths) {
  std::vector<SourceFile> sources;
  for (const std::filesystem::path& path : paths) {
    sources.push_back({path, fingerprint(files::MappedFile(path).text())});
  }
  return sources;
}

// The items of one example share its text: it is cleaned once.
void clean_texts(const TextPreprocessor& preprocessor, std::vector<Example>& examples) {
  std::unordered_map<std::string, std::string> cleaned;
  for (Example& example : examples) {
    const auto [found, is_new] = cleaned.try_emplace(example.text);
    if (is_new) {
      found->second = preprocessor.clean(example.text);
    }
    example.text = found->second;
  }
}

//   shares  where given: those of a task file's items, the set's or not
Dataset load_from(std::string_view name, const DatasetOptions& options, LabelShares* shares) {
  const files::ReadFiles read;
  const Source source = find_source(name);
  check_options(source, options);
  const std::optional<TextPreprocessor> preprocessor = make_preprocessor(source.domain, options);
  LoadedSplits loaded =
      source.task ? load_task(*source.task, options, shares) : source.entry->load(options);
  Dataset dataset = assemble(source.info.name, std::move(loaded), options);
  if (preprocessor) {
    clean_texts(*preprocessor, dataset.examples);
    if (options.word_statistics.empty()) {
      dataset.notes.warnings.push_back(
          dataset.name +
          ": text_preprocessor has no word_statistics, so hashtags in lower case stay one word and "
          "elongated words keep two of each character");
    }
  }
  dataset.notes.files = with_fingerprints(read.paths());
  return dataset;
}

}  // namespace

std::vector<DatasetInfo> datasets() {
  std::vector<DatasetInfo> infos;
  infos.reserve(kDatasets.size());
  for (const Entry& entry : kDatasets) {
    infos.push_back(entry.info);
  }
  return infos;
}

DatasetInfo dataset_info(std::string_view name) {
  return find_entry(name).info;
}

TaskInfo task_info(std::string_view task) {
  return find_source(task).info;
}

std::string checked_task(const std::string& task) {
  find_source(task);
  return task;
}

Dataset load(std::string_view name, const DatasetOptions& options) {
  return load_from(name, options, nullptr);
}

bool may_have_shares(std::string_view task) {
  const Source source = find_source(task);
  return source.task && !source.task->votes &&
         source.task->labels->kind == LabelForm::Kind::Columns;
}

SoftSet load_soft(std::string_view task, const DatasetOptions& options) {
  LabelShares shares;
  SoftSet set{load_from(task, options, &shares), {}};
  const bool are_shares = std::any_of(shares.begin(), shares.end(), [](const auto& of_example) {
    return std::any_of(of_example.second.begin(), of_example.second.end(),
                       [](double share) { return share > 0.0 && share < 1.0; });
  });
  if (!are_shares) return set;
  for (const Example& example : set.dataset.examples) {
    if (const auto found = shares.find(example.example_id); found != shares.end()) {
      set.shares.insert(*found);
    }
  }
  return set;
}

}  // namespace labelprobe::data

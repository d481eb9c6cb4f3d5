// The options that say which examples there are: data set, splits, ids, annotators, earlier logs.
#include "app/options/data_options.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"

#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

using enum OptionKind;

OptionInfo dev_role(std::string_view name) {
  return {.name = name,
          .help = "Accepted for compatibility: no dev role is used",
          .is_comparable = false,
          .idle_because = "no dev role is used"};
}

constexpr auto kAnnotationModes =
    enum_names<data::AnnotationMode>("annotation mode",
                                     {{data::AnnotationMode::Aggregate, "aggregate"},
                                      {data::AnnotationMode::Annotator, "annotator"},
                                      {data::AnnotationMode::Both, "both"}});

void add_range(OptionList& options, std::optional<data::PositionRange>& field, OptionInfo info) {
  const std::string name(info.name);
  options.add_special(Range, &field, std::move(info), [&field, name](const Given& given) {
    data::PositionRange positions;
    positions.begin = given.values.size() == 1 ? 0 : std::stoll(given.values[0]);
    positions.end = std::stoll(given.values.back());
    if (positions.begin < 0 || positions.end < positions.begin) {
      throw ConfigError(fmt::format("{}: expected 0 <= begin <= end, found {} {}", name,
                                    positions.begin, positions.end));
    }
    field = positions;
  });
}

// Both roles are of the same data set, hence one option for both.
template <typename Field>
void add_for_both(OptionList& options,
                  data::DatasetOptions& train,
                  data::DatasetOptions& test,
                  Field data::DatasetOptions::*field,
                  OptionInfo info) {
  options.add(train.*field, std::move(info));
  options.also(test.*field);
}

void declare_roles(OptionList& options, data::DatasetOptions& train, data::DatasetOptions& test) {
  options.add(train.splits, {.name = "train_splits",
                             .help = "Splits that demonstrations are drawn from",
                             .value = "SPLIT"});
  options.add(test.splits,
              {.name = "test_splits", .help = "Splits that are asked about", .value = "SPLIT"});
  options.accept(TextList, dev_role("dev_splits"));
  options.add(train.ids_filenames, {.name = "train_ids_filename",
                                    .help = "Id lists, one per train split: only these ids",
                                    .value = "FILE"});
  options.add(test.ids_filenames, {.name = "test_ids_filename",
                                   .help = "Id lists, one per test split: only these ids",
                                   .shown = Shown::First,
                                   .value = "FILE"});
  options.accept(TextList, dev_role("dev_ids_filename"));
  options.add_parsed(train.annotation_mode,
                     {.name = "annotation_mode",
                      .help = "Whose labels are the gold: aggregate, annotator or both",
                      .fallback = "aggregate",
                      .value = "MODE",
                      .choices = kAnnotationModes.names(),
                      .name_priority = 0},
                     [](const std::string& name) { return kAnnotationModes.parse(name); });
  options.also_parsed(test.annotation_mode,
                      [](const std::string& name) { return kAnnotationModes.parse(name); });
  add_range(options, train.debug_len,
            {.name = "train_debug_len",
             .help = "Only these positions of each annotator's train examples: K or A B"});
  add_range(options, test.debug_len,
            {.name = "test_debug_len",
             .help = "Only these positions of each annotator's test examples: K or A B"});
  options.accept(Range, dev_role("dev_debug_len"));
  add_range(options, train.debug_ann,
            {.name = "train_debug_ann",
             .help = "Only these train annotators, most productive first: K or A B"});
  add_range(options, test.debug_ann,
            {.name = "test_debug_ann",
             .help = "Only these test annotators, most productive first: K or A B"});
  options.accept(Range, dev_role("dev_debug_ann"));
  options.add(train.keep_same_examples, {.name = "train_keep_same_examples",
                                         .help = "Only train examples that every annotator has"});
  options.add(test.keep_same_examples, {.name = "test_keep_same_examples",
                                        .help = "Only test examples that every annotator has"});
  options.accept(Flag, dev_role("dev_keep_same_examples"));
}

void add_prior_log(OptionList& options,
                   experiment::PriorLog& log,
                   std::string_view name,
                   std::string_view whose) {
  const std::string option(name);
  options.add_special(
      GridList, &log.folder,
      {.name = name,
       .help = fmt::format("Log folder of an earlier run: its predictions are the {} prior labels",
                           whose),
       .value = "FOLDER",
       .name_priority = 0},
      [&log, option](const Given& given) {
        if (given.values.size() > 1) {
          throw ConfigError(
              fmt::format("{}: expected one log folder, found {}", option, given.values.size()));
        }
        log.folder = given.values.front();
      });
}

void add_prior_index(OptionList& options,
                     experiment::PriorLog& log,
                     std::string_view name,
                     std::string_view folder_flag) {
  options.add(log.experiment,
              {.name = name,
               .help = fmt::format("Which experiment_<i> of {} (default: the last)", folder_flag),
               .least = 0});
  options.afterwards([&options, &log, name, folder_flag] {
    if (log.experiment && log.folder.empty()) {
      throw ConfigError(
          fmt::format("{}: {} needs {}", options.place(log.experiment), name, folder_flag));
    }
  });
}

}  // namespace

void declare_data_group(OptionList& options,
                        data::DatasetOptions& train,
                        data::DatasetOptions& test) {
  using Data = data::DatasetOptions;
  const auto both = [&](auto field, OptionInfo info) {
    add_for_both(options, train, test, field, std::move(info));
  };
  options.begin_group("Data");
  both(&Data::root_dir, {.name = "root_dir",
                         .help = "Folder of the data set's files",
                         .shown = Shown::First,
                         .value = "FOLDER"});
  declare_roles(options, train, test);
  both(&Data::keep_one_after_filtering,
       {.name = "keep_one_after_filtering", .help = "One copy of each example, as `aggregate`"});
  options.add_boolean(train.text_preprocessor,
                      {.name = "text_preprocessor",
                       .help = "Clean texts as the data set's source domain asks",
                       .fallback = "false"});
  options.also(test.text_preprocessor);
  both(&Data::allows_quoted_rows,
       {.name = "allow_quoted_rows",
        .help = "Take quoted fields that hold delimiters and line breaks as pandas does, even if a "
                "stray quote may have swallowed rows"});
  both(&Data::word_statistics,
       {.name = "word_statistics",
        .help = "Folder of word counts (counts_1grams.txt, counts_2grams.txt) for "
                "--text-preprocessor",
        .value = "FOLDER"});
  both(&Data::emotion_clustering_json,
       {.name = "emotion_clustering_json",
        .help = "GoEmotions: file of emotion clusters that become the labels",
        .value = "FILE"});
  both(&Data::language, {.name = "language",
                         .help = "SemEval: english, arabic or spanish (default: english)",
                         .choices = {"english", "arabic", "spanish"}});
  both(&Data::subset, {.name = "subset",
                       .help = "Boxes: folder of the subset (default: "
                               "few_shot_boxes_nso_exp2_max3_move_contents)"});
  both(&Data::delimiter,
       {.name = "delimiter",
        .help = "MMLUPro: between the options of a question (default: a line break)"});
  both(&Data::multilabel,
       {.name = "multilabel",
        .help = "MSPPodcast: the secondary emotions instead of the primary one"});
  both(&Data::annotator_labels,
       {.name = "annotator_labels", .help = "MSPPodcast: keep every annotator's labels"});
  both(&Data::type, {.name = "type",
                     .help = "QueerReclaimLex: both, in or out (default: both)",
                     .choices = {"both", "in", "out"}});
  both(&Data::discard_ambiguous,
       {.name = "discard_ambiguous",
        .help = "QueerReclaimLex: leave out texts whose votes are balanced"});
}

void declare_prior_logs(OptionList& options, experiment::Settings& settings) {
  add_prior_log(options, settings.train_prior, "train_pred_log_dir", "demonstrations'");
  options.accept(GridList, dev_role("dev_pred_log_dir"));
  add_prior_log(options, settings.test_prior, "test_pred_log_dir", "queries'");
  add_prior_index(options, settings.train_prior, "train_pred_log_index", "--train-pred-log-dir");
  options.accept(Integer, dev_role("dev_pred_log_index"));
  add_prior_index(options, settings.test_prior, "test_pred_log_index", "--test-pred-log-dir");
}

void declare_task(OptionList& options, std::string& task) {
  std::vector<std::string> names;
  for (const data::DatasetInfo& info : data::datasets()) {
    names.emplace_back(info.name);
  }
  options.add_special(
      OptionKind::Text, &task,
      {.name = "TASK",
       .help = "Data set (see: labelprobe ls datasets)",
       .is_required = true,
       .shown = Shown::First,
       .choices = std::move(names),
       .usual = "GoEmotions"},
      [&task](const Given& given) { task = data::dataset_info(given.values.front()).name; });
  options.make_operand();
}

void declare_data(OptionList& options, DataSettings& data) {
  declare_data_group(options, data.train, data.test);
  // A run's, taken so that its command line serves here too.
  for (const std::string_view name :
       {"train_pred_log_dir", "dev_pred_log_dir", "test_pred_log_dir"}) {
    options.accept(GridList, {.name = name, .help = "Accepted because runs have it"});
  }
  for (const std::string_view name :
       {"train_pred_log_index", "dev_pred_log_index", "test_pred_log_index"}) {
    options.accept(Integer, {.name = name, .help = "Accepted because runs have it"});
  }
}

}  // namespace labelprobe::app

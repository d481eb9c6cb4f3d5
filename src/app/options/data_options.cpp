// The options that say which examples there are: data set, splits, ids, annotators, earlier logs.
#include "app/options/data_options.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"

#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

using enum OptionKind;

// What the options of a role are called.
struct RoleNames {
  std::string_view role;
  std::string_view splits;
  std::string_view ids_filename;
  std::string_view debug_len;
  std::string_view debug_ann;
  std::string_view keep_same_examples;
};
constexpr RoleNames kTrainNames = {
    "train",           "train_splits",    "train_ids_filename",
    "train_debug_len", "train_debug_ann", "train_keep_same_examples"};
constexpr RoleNames kDevNames = {"dev",           "dev_splits",    "dev_ids_filename",
                                 "dev_debug_len", "dev_debug_ann", "dev_keep_same_examples"};
constexpr RoleNames kTestNames = {"test",           "test_splits",    "test_ids_filename",
                                  "test_debug_len", "test_debug_ann", "test_keep_same_examples"};

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

// All roles are of the same data set, hence one option for them.
template <typename Field>
void add_for_all(OptionList& options,
                 const DataRoles& roles,
                 Field data::DatasetOptions::*field,
                 OptionInfo info) {
  options.add(roles.train.*field, std::move(info));
  options.also(roles.test.*field);
  if (roles.dev) options.also(roles.dev->*field);
}

// A role that is read: which examples it has.
void declare_role(OptionList& options,
                  data::DatasetOptions& role,
                  const RoleNames& names,
                  const std::string& splits_help,
                  Shown ids_shown) {
  options.add(role.splits, {.name = names.splits, .help = splits_help, .value = "SPLIT"});
  options.add(role.ids_filenames,
              {.name = names.ids_filename,
               .help = fmt::format("Id lists, one per {} split: only these ids", names.role),
               .shown = ids_shown,
               .value = "FILE"});
  add_range(options, role.debug_len,
            {.name = names.debug_len,
             .help = fmt::format("Only these positions of each annotator's {} examples: K or A B",
                                 names.role)});
  add_range(options, role.debug_ann,
            {.name = names.debug_ann,
             .help = fmt::format("Only these {} annotators, most productive first: K or A B",
                                 names.role)});
  options.add(role.keep_same_examples,
              {.name = names.keep_same_examples,
               .help = fmt::format("Only {} examples that every annotator has", names.role)});
}

void declare_idle_dev_role(OptionList& options) {
  options.accept(TextList, dev_role(kDevNames.splits));
  options.accept(TextList, dev_role(kDevNames.ids_filename));
  options.accept(Range, dev_role(kDevNames.debug_len));
  options.accept(Range, dev_role(kDevNames.debug_ann));
  options.accept(Flag, dev_role(kDevNames.keep_same_examples));
}

void declare_roles(OptionList& options, const DataRoles& roles) {
  const bool trains = roles.dev != nullptr;
  declare_role(options, roles.train, kTrainNames,
               trains ? "Splits that are trained on" : "Splits that demonstrations are drawn from",
               Shown::Later);
  declare_role(options, roles.test, kTestNames,
               trains ? "Splits that are predicted" : "Splits that are asked about", Shown::First);
  if (roles.dev) {
    declare_role(options, *roles.dev, kDevNames, "Splits that the weights are chosen on",
                 Shown::Later);
  } else {
    declare_idle_dev_role(options);
  }
  const auto parse = [](const std::string& name) { return kAnnotationModes.parse(name); };
  options.add_parsed(roles.train.annotation_mode,
                     {.name = "annotation_mode",
                      .help = "Whose labels are the gold: aggregate, annotator or both",
                      .fallback = "aggregate",
                      .value = "MODE",
                      .choices = kAnnotationModes.names(),
                      .name_priority = 0},
                     parse);
  options.also_parsed(roles.test.annotation_mode, parse);
  if (roles.dev) options.also_parsed(roles.dev->annotation_mode, parse);
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

void declare_data_group(OptionList& options, const DataRoles& roles) {
  using Data = data::DatasetOptions;
  const auto all = [&](auto field, OptionInfo info) {
    add_for_all(options, roles, field, std::move(info));
  };
  options.begin_group("Data");
  all(&Data::root_dir, {.name = "root_dir",
                        .help = "Folder of the data set's files; of a task file: what its paths "
                                "start from (default: its folder)",
                        .shown = Shown::First,
                        .value = "FOLDER"});
  declare_roles(options, roles);
  all(&Data::keep_one_after_filtering,
      {.name = "keep_one_after_filtering", .help = "One copy of each example, as `aggregate`"});
  options.add_boolean(roles.train.text_preprocessor,
                      {.name = "text_preprocessor",
                       .help = "Clean texts as the data set's source domain asks",
                       .fallback = roles.dev ? "true" : "false"});
  options.also(roles.test.text_preprocessor);
  if (roles.dev) options.also(roles.dev->text_preprocessor);
  all(&Data::allows_quoted_rows,
      {.name = "allow_quoted_rows",
       .help = "Take quoted fields that hold delimiters and line breaks as pandas does, even if a "
               "stray quote may have swallowed rows"});
  all(&Data::word_statistics,
      {.name = "word_statistics",
       .help = "Folder of word counts (counts_1grams.txt, counts_2grams.txt) for "
               "--text-preprocessor",
       .value = "FOLDER"});
  all(&Data::emotion_clustering_json,
      {.name = "emotion_clustering_json",
       .help = "GoEmotions: file of emotion clusters that become the labels",
       .value = "FILE"});
  all(&Data::language, {.name = "language",
                        .help = "SemEval: english, arabic or spanish (default: english)",
                        .choices = {"english", "arabic", "spanish"}});
  all(&Data::subset, {.name = "subset",
                      .help = "Boxes: folder of the subset (default: "
                              "few_shot_boxes_nso_exp2_max3_move_contents)"});
  all(&Data::delimiter,
      {.name = "delimiter",
       .help = "MMLUPro: between the options of a question (default: a line break)"});
  all(&Data::multilabel, {.name = "multilabel",
                          .help = "MSPPodcast: the secondary emotions instead of the primary one"});
  all(&Data::annotator_labels,
      {.name = "annotator_labels", .help = "MSPPodcast: keep every annotator's labels"});
  all(&Data::type, {.name = "type",
                    .help = "QueerReclaimLex: both, in or out (default: both)",
                    .choices = {"both", "in", "out"}});
  all(&Data::discard_ambiguous,
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

void declare_train_prior(OptionList& options, experiment::PriorLog& log) {
  add_prior_log(options, log, "train_pred_log_dir", "train examples'");
  add_prior_index(options, log, "train_pred_log_index", "--train-pred-log-dir");
  for (const std::string_view name : {"dev_pred_log_dir", "test_pred_log_dir"}) {
    options.accept(GridList, {.name = name,
                              .help = "Accepted for compatibility: prior labels bear on the loss",
                              .name_priority = 0});
  }
}

void declare_task(OptionList& options, std::string& task) {
  std::vector<std::string> names;
  for (const data::DatasetInfo& info : data::datasets()) {
    names.emplace_back(info.name);
  }
  options.add_special(
      OptionKind::Text, &task,
      {.name = "TASK",
       .help = "Data set (see: labelprobe ls datasets), or a task file of your own, my_task.yaml",
       .is_required = true,
       .shown = Shown::First,
       .choices = std::move(names),
       .usual = "GoEmotions"},
      [&task](const Given& given) { task = data::checked_task(given.values.front()); });
  options.make_operand();
  options.accept(Text, {.name = "task_file",
                        .help = "Logged where a task file stands for a data set's name",
                        .shown = Shown::Never,
                        .value = "FILE",
                        .is_comparable = false,
                        .bearing = record::Bearing::Process});
}

void declare_data(OptionList& options, DataSettings& data) {
  declare_data_group(options, {data.train, data.test});
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

// The options that make the questions of a run: data, prompts, distribution, pairs.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/chat.h"
#include "labelprobe/prompt/plan.h"

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

data::AnnotationMode parse_annotation_mode(const std::string& name) {
  if (name == "aggregate") {
    return data::AnnotationMode::Aggregate;
  }
  if (name == "annotator") {
    return data::AnnotationMode::Annotator;
  }
  if (name == "both") {
    return data::AnnotationMode::Both;
  }
  const std::string known[] = {"aggregate", "annotator", "both"};
  throw ConfigError(unknown_choice("annotation mode", name, known));
}

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

// Of the same data set, hence for both roles.
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
                      .choices = {"aggregate", "annotator", "both"},
                      .name_priority = 0},
                     parse_annotation_mode);
  options.also_parsed(test.annotation_mode, parse_annotation_mode);
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

void declare_prior_logs(OptionList& options, experiment::Settings& settings) {
  add_prior_log(options, settings.train_prior, "train_pred_log_dir", "demonstrations'");
  options.accept(GridList, dev_role("dev_pred_log_dir"));
  add_prior_log(options, settings.test_prior, "test_pred_log_dir", "queries'");
  add_prior_index(options, settings.train_prior, "train_pred_log_index", "--train-pred-log-dir");
  options.accept(Integer, dev_role("dev_pred_log_index"));
  add_prior_index(options, settings.test_prior, "test_pred_log_index", "--test-pred-log-dir");
}

void add_template(OptionList& options, std::optional<std::string>& field, OptionInfo info) {
  options.add_special(TextOrFile, &field, std::move(info), [&field](const Given& given) {
    field = prompt::text_or_file(given.values.front());
  });
}

void declare_templates(OptionList& options, prompt::TemplateOptions& templates) {
  add_template(options, templates.system,
               {.name = "system_prompt", .help = "Before everything; one space = none"});
  add_template(
      options, templates.instruction,
      {.name = "instruction_prompt", .help = "Before the demonstrations; may hold {labels}"});
  add_template(
      options, templates.incontext,
      {.name = "incontext_prompt", .help = "Template of a demonstration: {text} and {label}"});
  add_template(options, templates.query,
               {.name = "query_prompt",
                .help = "Template of the query: {text} (default: the demonstration's, up to its "
                        "label)"});
  add_template(options, templates.user,
               {.name = "user_prompt",
                .help = "First half of a demonstration, where --incontext-prompt is not given"});
  add_template(options, templates.assistant,
               {.name = "assistant_prompt",
                .help = "Second half of a demonstration, where --incontext-prompt is not given"});
  options.add_parsed(templates.label_format,
                     {.name = "label_format",
                      .help = "How labels are written: default, json, json-KEY or polysyndeton",
                      .value = "FORMAT",
                      .choices = {"default", "json", "polysyndeton"},
                      .name_priority = 0},
                     LabelFormat::parse);
}

std::vector<std::string> sampler_names() {
  std::vector<std::string> names;
  for (const prompt::SamplerInfo& sampler : prompt::samplers()) {
    names.emplace_back(sampler.name);
  }
  return names;
}

const std::vector<std::string> kLabelModes = {"random", "distribution", "preds", "opposite"};

void declare_demonstrations(OptionList& options, experiment::Settings& settings) {
  options.add(settings.n_shots, {.name = "shot",
                                 .help = "Number of demonstrations",
                                 .is_required = true,
                                 .shown = Shown::First,
                                 .least = 0,
                                 .name_priority = 1});
  options.add_parsed(settings.sampling,
                     {.name = "sampling_strategy",
                      .help = "How demonstrations are drawn (see: labelprobe ls samplers)",
                      .value = "NAME",
                      .choices = sampler_names(),
                      .name_priority = 1},
                     prompt::SamplingStrategy::parse);
  options.add_special(Flag, &settings.demonstrations,
                      {.name = "fresh_demonstrations",
                       .help = "Draw demonstrations anew for every query instead of once per run"},
                      [&settings](const Given& given) {
                        settings.demonstrations = given.values.front() == "true"
                                                      ? prompt::DemonstrationMode::Fresh
                                                      : prompt::DemonstrationMode::Shared;
                      });
  options.add(settings.seed, {.name = "seed",
                              .help = "Seed of the demonstrations; -1 = seeds 0 to 4",
                              .fallback = "0",
                              .shown = Shown::First,
                              .least = 0,
                              .is_comparable = false,
                              .bearing = record::Bearing::Repetition,
                              .shorthand = {{"-1", {"0", "1", "2", "3", "4"}}}});
  options.add(settings.sampling.n_retries,
              {.name = "retries",
               .help = "--sampling-strategy complete: attempts at showing every label",
               .fallback = "3",
               .least = 1,
               .is_comparable = false});
  options.add_parsed(settings.labels.mode,
                     {.name = "label_mode",
                      .help = "Labels of demonstrations that are not their gold ones (see: "
                              "labelprobe ls label-modes)",
                      .value = "MODE",
                      .choices = kLabelModes,
                      .name_priority = 1},
                     prompt::parse_label_mode);
  options.add(settings.labels.randomization_seed,
              {.name = "label_randomization_seed",
               .help = "Seed of the labels that --label-mode draws (default: the draws of --seed "
                       "go on)",
               .is_comparable = false,
               .bearing = record::Bearing::Repetition});
  options.add(settings.labels.same_length,
              {.name = "label_same_length",
               .help = "--label-mode distribution: only labels of as many tokens as the gold one"});
}

void declare_prompts_group(OptionList& options,
                           experiment::Settings& settings,
                           SentenceEncoderSettings& encoder) {
  options.begin_group("Prompts");
  options.add_parsed(settings.mode,
                     {.name = "prompt_mode",
                      .help = "completion: one text; chat: messages in the model's own chat "
                              "format, made of --user-prompt and --assistant-prompt "
                              "(--incontext-prompt is not used then)",
                      .fallback = "completion",
                      .value = "MODE",
                      .choices = {"completion", "chat"}},
                     prompt::parse_prompt_mode);
  declare_templates(options, settings.templates);
  declare_demonstrations(options, settings);
  options.add(settings.cot_csv,
              {.name = "cot_csv",
               .help = "CSV file of chains of thought by full id, for templates with {cot}",
               .value = "FILE"});
  options.add_boolean(settings.randomize_cots,
                      {.name = "cot_randomize",
                       .help = "Any chain of thought for any demonstration",
                       .fallback = "false"});
  options.add(
      settings.limit,
      {.name = "limit", .help = "Only the first N queries", .shown = Shown::First, .least = 1});
  options.refuse(
      Integer, {.name = "max_length", .help = "Not supported: prompts are neither cut nor padded"});
  options.add(encoder.model,
              {.name = "sentence_model_name_or_path",
               .help = "--sampling-strategy similarity: sentence encoder (folder or name in the "
                       "Hugging Face cache, e.g. all-mpnet-base-v2) that compares texts",
               .value = "MODEL"});
  options.add(settings.sentence_vectors.file,
              {.name = "sentence_vectors",
               .help = "--sampling-strategy similarity: vectors of all texts made by another "
                       "program, instead of an encoder: .npy with FILE.ids.txt, or safetensors",
               .value = "FILE"});
  options.add(encoder.device, {.name = "sentence_device",
                               .help = "Where the sentence encoder runs (default: as --device)",
                               .value = "DEVICE",
                               .choices = {"auto", "cpu", "cuda"},
                               .is_comparable = false});
  options.afterwards([&] {
    if (settings.sampling.kind != prompt::SamplingStrategy::Kind::Similarity) {
      options.make_incomparable(encoder.model);  // nothing reads it
      options.make_incomparable(settings.sentence_vectors.file);
    }
  });
}

// The distribution's name in its one spelling; what was given if it is none.
std::string spell_distribution(const std::string& given) {
  try {
    const prompt::Plan plan = prompt::parse_plan(given);
    for (const prompt::PlanInfo& info : prompt::plans()) {
      if (info.plan == plan) {
        return info.name;
      }
    }
  } catch (const ConfigError&) {
    // It is told where the setting is filled.
  }
  return given;
}

std::vector<std::string> plan_names() {
  std::vector<std::string> names;
  for (const prompt::PlanInfo& info : prompt::plans()) {
    names.push_back(info.name);
  }
  return names;
}

void declare_pairs_group(OptionList& options, prompt::PairOptions& pair) {
  options.begin_group("Pairs");
  options.add_parsed(pair.query_label,
                     {.name = "query_label_mode",
                      .help = "The label asked about, where it is not the gold one: random, "
                              "distribution, preds or opposite",
                      .value = "MODE",
                      .choices = kLabelModes,
                      .name_priority = 1},
                     prompt::parse_label_mode);
  options.add_parsed(pair.unreasonable_labels,
                     {.name = "reasonableness_label_mode",
                      .help = "Where the labels of unreasonable demonstrations come from",
                      .fallback = "distribution",
                      .value = "MODE",
                      .choices = kLabelModes},
                     prompt::parse_label_mode);
  options.add(pair.unreasonable_rate,
              {.name = "unreasonable_rate",
               .help = "Share of demonstrations whose label is made unreasonable",
               .fallback = "0.5"});
  options.add_boolean(pair.yes_no,
                      {.name = "yn_labels",
                       .help = "Answers are no and yes instead of unreasonable and reasonable",
                       .fallback = "false"});
}

// Predictions of earlier runs are only had from their logs.
void require_log(const OptionList& options,
                 const prompt::LabelMode& mode,
                 const experiment::PriorLog& log,
                 std::string_view log_flag) {
  if (mode == prompt::LabelMode::Predictions && log.folder.empty()) {
    throw ConfigError(fmt::format("{}: {} preds needs {}, the log of an earlier run",
                                  options.place(mode), options.at(mode).info.name, log_flag));
  }
}

void check_labels(const OptionList& options, const experiment::Settings& settings) {
  const bool has_shots = settings.n_shots > 0;
  if (has_shots) {
    require_log(options, settings.labels.mode, settings.train_prior, "--train-pred-log-dir");
  }
  if (settings.program != experiment::Program::Pair) {
    return;
  }
  const double rate = settings.pair.unreasonable_rate;
  if (rate < 0 || rate > 1) {
    throw ConfigError(fmt::format("{}: unreasonable_rate: expected a number from 0 to 1, found {}",
                                  options.place(settings.pair.unreasonable_rate), rate));
  }
  require_log(options, settings.pair.query_label, settings.test_prior, "--test-pred-log-dir");
  if (has_shots) {
    require_log(options, settings.pair.unreasonable_labels, settings.train_prior,
                "--train-pred-log-dir");
  }
}

}  // namespace

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
       .choices = std::move(names)},
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

void declare_questions(OptionList& options,
                       experiment::Settings& settings,
                       SentenceEncoderSettings& encoder,
                       QuestionGroups groups) {
  declare_task(options, settings.task);
  declare_data_group(options, settings.train, settings.test);
  declare_prior_logs(options, settings);
  declare_prompts_group(options, settings, encoder);
  if (groups.has_distribution) {
    options.begin_group("Distribution");
    options.add_parsed(settings.plan,
                       {.name = "distribution",
                        .help = "What is asked of each example (see: labelprobe ls distributions)",
                        .fallback = "baseline",
                        .shown = Shown::First,
                        .value = "NAME",
                        .choices = plan_names(),
                        .name_priority = 3,
                        .log_as = spell_distribution},
                       prompt::parse_plan);
  }
  if (groups.has_pairs) {
    declare_pairs_group(options, settings.pair);
  }
  options.afterwards([&] { check_labels(options, settings); });
}

}  // namespace labelprobe::app

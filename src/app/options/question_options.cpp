// The options that make prompts of examples: templates, demonstrations, distribution, pairs.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/plan.h"
#include "labelprobe/prompt/chat.h"

#include "app/options/data_options.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

using enum OptionKind;

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
  options.add_parsed(templates.defaults,
                     {.name = "default_prompts",
                      .help = "What stands in for prompts that are not given: labelling (a plain "
                              "labelling prompt) or published (a safety preamble, no cue)",
                      .fallback = "labelling",
                      .value = "NAME",
                      .choices = prompt::kDefaultTemplates.names()},
                     [](const std::string& name) { return prompt::kDefaultTemplates.parse(name); });
  options.add_parsed(
      templates.label_format,
      {.name = "label_format",
       .help = "How labels are written: default, json or json-KEY (as escapes: \\u00dc), "
               "json-unescaped or json-unescaped-KEY, polysyndeton",
       .value = "FORMAT",
       .choices = {"default", "json", "json-unescaped", "polysyndeton"},
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
                                 .name_priority = 1,
                                 .usual = "10"});
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
  options.add_special(
      Flag, &settings.own_demonstrations,
      {.name = "exclude_query",
       .help = "Where a query is drawn as its own demonstration (the same id or text), show "
               "another in its place: the next nearest, or one more draw among those that serve "
               "the sampling strategy as well; the other demonstrations stay"},
      [&settings](const Given& given) {
        settings.own_demonstrations = given.values.front() == "true"
                                          ? prompt::OwnDemonstrations::Replace
                                          : prompt::OwnDemonstrations::Keep;
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
  options.add(settings.chat_template_file,
              {.name = "chat_template",
               .help = "--prompt-mode chat: a file with a Jinja template, in place of the model's "
                       "own; what it asks of today's date is 26 July 2024",
               .value = "FILE"});
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
  options.add(settings.content_free.texts,
              {.name = "content_free",
               .help = "Ask about these texts in place of the data set's, e.g. 'N/A' '' '[MASK]': "
                       "for labelprobe calibrate fit --content-free",
               .value = "TEXT"});
  options.add(settings.content_free.n_of_words,
              {.name = "content_free_words",
               .help = "The same, about so many texts of random words of the data set's",
               .fallback = "0",
               .least = 0});
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
    return std::string(experiment::find_distribution(given).name);
  } catch (const ConfigError&) {
    return given;  // it is told where the setting is filled
  }
}

std::vector<std::string> distribution_names() {
  std::vector<std::string> names;
  for (const experiment::Plan* plan : experiment::plans()) {
    if (plan->is_distribution) names.emplace_back(plan->name);
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
  if (!settings.plan->shows_labels) {
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

void declare_questions(OptionList& options,
                       experiment::Settings& settings,
                       SentenceEncoderSettings& encoder,
                       QuestionGroups groups) {
  declare_task(options, settings.task);
  declare_data_group(options, {settings.train, settings.test});
  declare_prior_logs(options, settings);
  declare_prompts_group(options, settings, encoder);
  if (groups.has_distribution) {
    options.begin_group("Distribution");
    options.add_parsed(
        settings.plan,
        {.name = "distribution",
         .help = "What is asked of each example (see: labelprobe ls distributions)",
         .fallback = "baseline",
         .shown = Shown::First,
         .value = "NAME",
         .choices = distribution_names(),
         .name_priority = 3,
         .log_as = spell_distribution},
        [](const std::string& name) { return &experiment::find_distribution(name); });
  }
  if (groups.has_pairs) {
    declare_pairs_group(options, settings.pair);
  }
  options.afterwards([&] { check_labels(options, settings); });
}

}  // namespace labelprobe::app

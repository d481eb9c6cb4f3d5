#include "app/options/run_settings.h"

#include <limits>

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/plan.h"

namespace labelprobe::app {

namespace {

data::AnnotationMode annotation_mode(const Options& options) {
  const std::string name = options.text("annotation_mode");
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
  throw ConfigError(options.place("annotation_mode") + ": " +
                    unknown_choice("annotation mode", name, known));
}

int bounded(const Options& options, std::string_view name, std::int64_t least) {
  const std::int64_t number = options.integer(name);
  if (number < least || number > std::numeric_limits<int>::max()) {
    throw ConfigError(options.place(name) + ": " + std::string(name) +
                      ": expected an integer of at least " + std::to_string(least) + ", found " +
                      std::to_string(number));
  }
  return static_cast<int>(number);
}

std::optional<data::PositionRange> range(const Options& options, std::string_view name) {
  const std::vector<std::string> values = options.texts(name);
  if (values.empty()) {
    return std::nullopt;
  }
  data::PositionRange positions;
  positions.begin = values.size() == 1 ? 0 : std::stoll(values[0]);
  positions.end = std::stoll(values.back());
  if (positions.begin < 0 || positions.end < positions.begin) {
    throw ConfigError(options.place(name) + ": " + std::string(name) +
                      ": expected 0 <= begin <= end, found " + std::to_string(positions.begin) +
                      " " + std::to_string(positions.end));
  }
  return positions;
}

// What `parse` makes of an option's text; its mistakes are told where the option was given.
template <typename Parse>
auto parsed(const Options& options, std::string_view name, const Parse& parse) {
  try {
    return parse(options.text(name));
  } catch (const ConfigError& error) {
    throw ConfigError(options.place(name) + ": " + error.what());
  }
}

void refuse(const Options& options, std::string_view name) {
  if (options.has(name) && options.is_set(name)) {
    throw ConfigError(options.place(name) + ": " + std::string(name) + ": " +
                      std::string(options.help(name)));
  }
}

std::optional<std::string> template_text(const Options& options, std::string_view name) {
  const auto given = options.optional_text(name);
  return given ? std::optional(prompt::text_or_file(*given)) : std::nullopt;
}

prompt::LabelMode label_mode(const Options& options, std::string_view name) {
  return parsed(options, name, prompt::parse_label_mode);
}

experiment::PriorLog prior_log(const Options& options, const std::string& role) {
  experiment::PriorLog log;
  const std::string folder = role + "_pred_log_dir";
  const std::string index = role + "_pred_log_index";
  const std::vector<std::string> folders = options.texts(folder);
  if (folders.size() > 1) {
    throw ConfigError(options.place(folder) + ": " + folder + ": expected one log folder, found " +
                      std::to_string(folders.size()));
  }
  if (options.is_set(index)) {
    if (folders.empty()) {
      throw ConfigError(options.place(index) + ": " + index + " needs " + flag_of(folder));
    }
    log.experiment = bounded(options, index, 0);
  }
  if (!folders.empty()) {
    log.folder = folders.front();
  }
  return log;
}

// Predictions of earlier runs are only had from their logs.
void require_log(const Options& options,
                 std::string_view mode,
                 const experiment::PriorLog& log,
                 std::string_view log_option) {
  if (label_mode(options, mode) == prompt::LabelMode::Predictions && log.folder.empty()) {
    throw ConfigError(options.place(mode) + ": " + std::string(mode) + " " + options.text(mode) +
                      " needs " + flag_of(log_option) + ", the log of an earlier run");
  }
}

prompt::PairOptions pair_options(const Options& options) {
  prompt::PairOptions pair;
  pair.unreasonable_rate = options.real("unreasonable_rate");
  if (pair.unreasonable_rate < 0 || pair.unreasonable_rate > 1) {
    throw ConfigError(options.place("unreasonable_rate") +
                      ": unreasonable_rate: expected a number from 0 to 1, found " +
                      options.text("unreasonable_rate"));
  }
  pair.unreasonable_labels = label_mode(options, "reasonableness_label_mode");
  pair.query_label = label_mode(options, "query_label_mode");
  pair.yes_no = options.boolean("yn_labels");
  return pair;
}

void add_labels(const Options& options, experiment::Settings& settings) {
  settings.labels.mode = label_mode(options, "label_mode");
  settings.labels.randomization_seed = options.optional_integer("label_randomization_seed");
  settings.labels.same_length = options.boolean("label_same_length");
  settings.cot_csv = options.text("cot_csv");
  settings.randomize_cots = options.boolean("cot_randomize");
  settings.train_prior = prior_log(options, "train");
  settings.test_prior = prior_log(options, "test");
  if (settings.n_shots > 0) {
    require_log(options, "label_mode", settings.train_prior, "train_pred_log_dir");
  }
  if (settings.program != experiment::Program::Pair) {
    return;
  }
  settings.pair = pair_options(options);
  require_log(options, "query_label_mode", settings.test_prior, "test_pred_log_dir");
  if (settings.n_shots > 0) {
    require_log(options, "reasonableness_label_mode", settings.train_prior, "train_pred_log_dir");
  }
}

// The mode that the flags ask for; they must not contradict each other.
weights::Quantization quantization(const Options& options) {
  std::string given_by;
  weights::Quantization asked = weights::Quantization::None;
  const auto ask = [&](std::string_view name, weights::Quantization mode) {
    if (!given_by.empty() && mode != asked) {
      throw ConfigError(options.place(name) + ": " + std::string(name) + " asks for " +
                        std::string(weights::quantization_name(mode)) + " weights, but " +
                        given_by + " for " + std::string(weights::quantization_name(asked)) +
                        "; leave one of them out");
    }
    given_by = options.place(name) == flag_of(name)
                   ? flag_of(name)
                   : std::string(name) + " (" + options.place(name) + ")";
    asked = mode;
  };
  if (options.boolean("load_in_4bit")) {
    ask("load_in_4bit", weights::Quantization::Fp4);
  }
  if (options.boolean("load_in_8bit")) {
    ask("load_in_8bit", weights::Quantization::Int8);
  }
  if (options.is_set("quant")) {
    ask("quant", parsed(options, "quant", weights::parse_quantization));
  }
  return asked;
}

prompt::Plan plan_of(experiment::Program program, const Options& options) {
  switch (program) {
    case experiment::Program::Distribution:
      return parsed(options, "distribution", prompt::parse_plan);
    case experiment::Program::Plain:
      return prompt::Plan::Baseline;
    case experiment::Program::Pair:
      return prompt::Plan::Pair;
  }
  return prompt::Plan::Baseline;
}

}  // namespace

data::DatasetOptions make_dataset_options(const Options& options, const std::string& role) {
  data::DatasetOptions dataset;
  dataset.root_dir = options.text("root_dir");
  dataset.splits = options.texts(role + "_splits");
  dataset.ids_filenames = options.texts(role + "_ids_filename");
  dataset.annotation_mode = annotation_mode(options);
  dataset.debug_len = range(options, role + "_debug_len");
  dataset.debug_ann = range(options, role + "_debug_ann");
  dataset.keep_same_examples = options.boolean(role + "_keep_same_examples");
  dataset.keep_one_after_filtering = options.boolean("keep_one_after_filtering");
  dataset.text_preprocessor = options.boolean("text_preprocessor");
  dataset.word_statistics = options.text("word_statistics");
  dataset.emotion_clustering_json = options.text("emotion_clustering_json");
  dataset.language = options.optional_text("language").value_or(dataset.language);
  dataset.subset = options.optional_text("subset").value_or(dataset.subset);
  dataset.delimiter = options.optional_text("delimiter").value_or(dataset.delimiter);
  dataset.multilabel = options.boolean("multilabel");
  dataset.annotator_labels = options.boolean("annotator_labels");
  dataset.type = options.optional_text("type").value_or(dataset.type);
  dataset.discard_ambiguous = options.boolean("discard_ambiguous");
  return dataset;
}

experiment::Settings make_settings(experiment::Program program,
                                   const std::string& task,
                                   const Options& options) {
  experiment::Settings settings;
  settings.program = program;
  settings.plan = plan_of(program, options);
  settings.task = task;
  data::dataset_info(task);  // an unknown name is the first thing to say
  settings.train = make_dataset_options(options, "train");
  settings.test = make_dataset_options(options, "test");
  settings.mode = parsed(options, "prompt_mode", prompt::parse_prompt_mode);
  settings.templates.system = template_text(options, "system_prompt");
  settings.templates.instruction = template_text(options, "instruction_prompt");
  settings.templates.incontext = template_text(options, "incontext_prompt");
  settings.templates.query = template_text(options, "query_prompt");
  settings.templates.user = template_text(options, "user_prompt");
  settings.templates.assistant = template_text(options, "assistant_prompt");
  settings.templates.label_format = parsed(options, "label_format", LabelFormat::parse);
  settings.sampling = parsed(options, "sampling_strategy", prompt::SamplingStrategy::parse);
  settings.sampling.n_retries = bounded(options, "retries", 1);
  settings.sentence_vectors.file = options.text("sentence_vectors");
  settings.n_shots = bounded(options, "shot", 0);
  settings.seed = bounded(options, "seed", 0);
  if (options.boolean("fresh_demonstrations")) {
    settings.demonstrations = prompt::DemonstrationMode::Fresh;
  }
  if (options.is_set("limit")) {
    settings.limit = bounded(options, "limit", 1);
  }
  add_labels(options, settings);
  refuse(options, "max_length");
  return settings;
}

void add_model_settings(const Options& options, experiment::Settings& settings) {
  settings.max_new_tokens = bounded(options, "max_new_tokens", 1);
  settings.label_variants = parsed(options, "label_variants", readout::parse_label_variants);
  settings.batch_size = bounded(options, "batch_size", 0);
  settings.share_prefixes = !options.boolean("no_share_prefixes");
  settings.drafts_answers = !options.boolean("no_drafts");
  if (options.is_set("logs_precision")) {
    settings.logs_precision = bounded(options, "logs_precision", 0);
  }
  refuse(options, "word_embeddings_model");
  refuse(options, "model_load_filename");
}

model::OpenOptions make_open_options(const Options& options) {
  model::OpenOptions open;
  open.dtype = parsed(options, "model_dtype", weights::parse_dtype);
  open.device = options.text("device");
  open.n_threads = bounded(options, "threads", 0);
  open.quantization = quantization(options);
  open.allows_tf32 = options.boolean("tf32");
  return open;
}

std::vector<std::string> describe_ignored(const Options& options) {
  std::vector<std::string> sentences;
  for (const std::string_view name :
       {"dev_splits", "dev_ids_filename", "dev_debug_len", "dev_debug_ann",
        "dev_keep_same_examples", "dev_pred_log_dir", "dev_pred_log_index"}) {
    if (options.has(name) && options.is_set(name)) {
      sentences.push_back(options.place(name) + ": " + std::string(name) +
                          " changes nothing: no dev role is used");
    }
  }
  return sentences;
}

}  // namespace labelprobe::app

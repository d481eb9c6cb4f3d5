#include "run_settings.h"

#include <algorithm>
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

void check_distribution(const Options& options) {
  const std::string given = options.text("distribution");
  std::vector<std::string> known;
  for (const prompt::PlanInfo& plan : prompt::plans()) {
    known.push_back(plan.name);
  }
  if (std::find(known.begin(), known.end(), given) == known.end()) {
    throw ConfigError(options.place("distribution") + ": " +
                      unknown_choice("distribution", given, known));
  }
}

std::optional<std::string> template_text(const Options& options, std::string_view name) {
  const auto given = options.optional_text(name);
  return given ? std::optional(prompt::text_or_file(*given)) : std::nullopt;
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
  dataset.emotion_clustering_json = options.text("emotion_clustering_json");
  return dataset;
}

experiment::Settings make_settings(const std::string& task, const Options& options) {
  experiment::Settings settings;
  settings.task = task;
  data::dataset_info(task);  // an unknown name is the first thing to say
  settings.train = make_dataset_options(options, "train");
  settings.test = make_dataset_options(options, "test");
  settings.templates.system = template_text(options, "system_prompt");
  settings.templates.instruction = template_text(options, "instruction_prompt");
  settings.templates.incontext = template_text(options, "incontext_prompt");
  settings.templates.query = template_text(options, "query_prompt");
  settings.templates.user = template_text(options, "user_prompt");
  settings.templates.assistant = template_text(options, "assistant_prompt");
  settings.templates.label_format = LabelFormat::parse(options.text("label_format"));
  settings.sampling = prompt::SamplingStrategy::parse(options.text("sampling_strategy"));
  settings.n_shots = bounded(options, "shot", 0);
  settings.seed = bounded(options, "seed", 0);
  if (options.boolean("fresh_demonstrations")) {
    settings.demonstrations = prompt::DemonstrationMode::Fresh;
  }
  if (options.is_set("limit")) {
    settings.limit = bounded(options, "limit", 1);
  }
  return settings;
}

void add_model_settings(const Options& options, experiment::Settings& settings) {
  settings.max_new_tokens = bounded(options, "max_new_tokens", 1);
  settings.label_variants = readout::parse_label_variants(options.text("label_variants"));
  settings.batch_size = bounded(options, "batch_size", 0);
  settings.share_prefixes = !options.boolean("no_share_prefixes");
  if (options.is_set("logs_precision")) {
    settings.logs_precision = bounded(options, "logs_precision", 0);
  }
  check_distribution(options);
}

model::OpenOptions make_open_options(const Options& options) {
  model::OpenOptions open;
  open.dtype = model::parse_dtype(options.text("model_dtype"));
  open.device = options.text("device");
  open.n_threads = bounded(options, "threads", 0);
  return open;
}

}  // namespace labelprobe::app

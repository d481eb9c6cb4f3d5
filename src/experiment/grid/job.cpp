#include "labelprobe/experiment/job.h"

#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/model/cost.h"
#include "labelprobe/weights/locate.h"

#include "experiment/grid/served_job.h"
#include "experiment/grid/shard_job.h"
#include "experiment/prepare/new_tokens.h"
#include "experiment/served/token_log.h"

namespace labelprobe::experiment {

namespace {

// A dry run may be made where the run itself will not be, say beside a GPU cluster, and for a card
// that it names.
std::string resolve_device(const Job& job,
                           const ModelSource& source,
                           std::vector<std::string>& warnings) {
  if (job.model.served) return kServerDevice;
  const std::string& asked = job.model.options.device;
  if (job.is_dry_run && model::is_card(asked)) return "cuda:0";
  try {
    return source.resolve_device(asked);
  } catch (const ConfigError& error) {
    if (!job.is_dry_run) {
      throw;
    }
    warnings.emplace_back(error.what());
    return asked;
  }
}

// The several ways to ask for quantised weights are logged as one, by what the weights are in the
// end.
void set_numerics(record::Param& param, model::Quantization quantization) {
  if (param.name == "quant") {
    if (quantization == model::Quantization::None || quantization == model::Quantization::Gguf) {
      param.value = {};
    } else {
      param.value = std::string(weights::quantization_name(quantization));
    }
  } else if (param.name == "weights") {
    param.value = {};
    if (quantization == model::Quantization::Gguf) param.value = std::string("packed");
  } else if (param.name == "load_in_4bit") {
    param.value = quantization == model::Quantization::Fp4;
  } else if (param.name == "load_in_8bit") {
    param.value = quantization == model::Quantization::Int8;
  }
}

std::optional<tokenizer::ChatTemplate> template_of(const Job& job, const ModelSource& source) {
  const std::filesystem::path& file = job.settings.chat_template_file;
  if (job.model.served) {
    if (file.empty()) return served_chat_template();
    throw ConfigError(job.model.name +
                      ": expected no --chat-template, for a server writes chats by its own");
  }
  return file.empty() ? source.chat_template(job.model.model)
                      : tokenizer::read_chat_template(file, job.model.model);
}

GenerationInForce generation_of(const PreparedJob& prepared) {
  return generation_in_force(prepared.model_info, prepared.job.settings, prepared.preparation);
}

// All that decides an item's record and is no option, under the names that people are told when it
// has changed.
std::map<std::string, std::string> contents_of(const PreparedJob& prepared) {
  if (prepared.job.model.served) return contents_of_served(prepared);
  const model::ModelInfo& model = prepared.model_info;
  const Preparation& preparation = prepared.preparation;
  return {
      {"version of the program", prepared.job.program_version},
      {"model", model.fingerprint},
      {"number type", std::string(weights::dtype_name(model.dtype))},
      {"quantisation", std::string(weights::quantization_name(model.quantization))},
      {"generation settings", generation_of(prepared).describe()},
      {"tokenizer", prepared.tokenizer->fingerprint()},
      {"prompts", preparation.contents_fingerprint},
      {"tokens of the prompts", fingerprint_of_tokens(preparation)},
      {"labels", fingerprint_of_labels(preparation)},
      {"gold labels or texts of items", fingerprint_of_items(prepared.job.settings, preparation)},
      {"device", prepared.device}};
}

// The date only where the template asks for it.
std::vector<std::pair<std::string, std::string>> describe_chat(
    const tokenizer::ChatTemplate& chat) {
  std::vector<std::pair<std::string, std::string>> params = {
      {"chat_template_fingerprint", fingerprint(chat.text)}};
  if (prompt::ChatFormat(chat.text, chat.place, chat.tokens).is_dated()) {
    params.emplace_back("chat_template_date", prompt::kChatDate);
  }
  return params;
}

// What the results depend on, as logged: the options, then the program, the model and the
// tokenizer.
record::RunRequest complete(record::RunRequest request, const PreparedJob& prepared) {
  const Settings& settings = prepared.job.settings;
  request.category = data::task_info(settings.task).name +
                     (prepared.job.model.served ? kServedCategory : "") +
                     std::string(settings.plan->category_ending);
  request.layout = settings.plan->layout;
  if (prepared.job.model.served) name_served(request, prepared);
  for (record::Param& param : request.params) {
    set_numerics(param, prepared.model_info.quantization);
    if (param.name == "max_new_tokens") param.value = std::int64_t{settings.max_new_tokens};
  }
  if (!settings.plan->shows_labels) {
    // The published programs all have it, and hence a place for it in the folder's name.
    request.params.push_back({"query_label_mode", {}, true, 1});
  }
  const std::string& tokenizer = prepared.tokenizer->fingerprint();
  for (const auto& [name, value] : {std::pair{"program_version", prepared.job.program_version},
                                    {"model_fingerprint", prepared.model_info.fingerprint},
                                    {"tokenizer_fingerprint", tokenizer},
                                    {"resolved_device", prepared.device}}) {
    request.params.push_back({name, value, false, {}, record::Bearing::Process});
  }
  request.params.push_back({"n_demonstrated_queries",
                            prepared.preparation.questions.n_demonstrated,
                            false,
                            {},
                            record::Bearing::Process});
  if (settings.chat_template && !prepared.job.model.served) {
    for (const auto& [name, value] : describe_chat(*settings.chat_template)) {
      request.params.push_back({name, value, false, {}, record::Bearing::Process});
    }
  }
  request.contents = contents_of(prepared);
  request.n_items = prepared.preparation.questions.queries.size();
  return request;
}

// Throws ModelError if the weights in memory are not known to be those that the run was prepared
// with: if the files were changed before they were opened, or while they were read.
void check_same_model(const PreparedJob& prepared,
                      const Workbench::Opened& opened,
                      const Workbench& workbench) {
  const ModelLoading& loading = prepared.job.model;
  if (loading.served || !loading.packed_copy.empty()) return;
  const auto check = [&](const model::ModelInfo& found) {
    const std::string generation =
        generation_in_force(found, prepared.job.settings, prepared.preparation).describe();
    if (found.fingerprint != prepared.model_info.fingerprint ||
        generation != generation_of(prepared).describe()) {
      throw ModelError(fmt::format(
          "{}: was changed after this run was prepared; give the same command again when its files "
          "stay as they are",
          loading.model.string()));
    }
  };
  check(opened.model.info());
  if (opened.is_new) check(workbench.source().inspect(loading));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Tells the listener when a log closes, however it comes about.
class OpenLog {
 public:
  OpenLog(JobListener& listener, const PreparedJob& prepared, const record::ItemLog& files)
      : listener_(listener) {
    listener_.on_open(prepared, files);
  }
  ~OpenLog() { listener_.on_close(); }
  OpenLog(const OpenLog&) = delete;
  OpenLog& operator=(const OpenLog&) = delete;

 private:
  JobListener& listener_;
};

std::string describe(model::Quantization quantization) {
  switch (quantization) {
    case model::Quantization::None:
      break;
    case model::Quantization::Fp4:
      return "FP4";
    case model::Quantization::Nf4:
      return "NF4";
    case model::Quantization::Nf4Double:
      return "doubly quantised NF4";
    case model::Quantization::Int8:
      return "int8";
    case model::Quantization::Gguf:
      return "packed";
  }
  return "";
}

}  // namespace

PreparedJob prepare(Job job, Workbench& workbench) {
  PreparedJob prepared;
  prepared.warnings = std::move(job.warnings);
  job.settings.sentence_vectors.encode = workbench.text_encoder(job.sentence_encoder);
  job.model.model =
      job.model.served
          ? std::filesystem::path(job.model.name)
          : workbench.source().locate(job.model.copy.empty() ? job.model.name : job.model.copy);
  prepared.model_info = workbench.inspect(job.model);
  prepared.device = resolve_device(job, workbench.source(), prepared.warnings);
  prepared.tokenizer = workbench.tokenizer(job.model);
  if (job.settings.mode == prompt::PromptMode::Chat) {
    job.settings.chat_template = template_of(job, workbench.source());
  }
  prepared.preparation = prepare(job.settings, *prepared.tokenizer);
  if (job.settings.max_new_tokens == 0) {
    job.settings.max_new_tokens = tokens_of_answers(
        prepared.preparation.questions, prepared.preparation.answers, *prepared.tokenizer);
    // What counts as a token before a server is asked is a word, which may be several of the
    // model's.
    if (job.model.served) job.settings.max_new_tokens *= 2;
  }
  if (job.model.served) prepare_served(job, workbench, prepared.preparation);
  prepared.job = std::move(job);
  prepared.job.request = complete(std::move(prepared.job.request), prepared);
  record::check_names(prepared.job.request);
  const ModelLoading& loading = prepared.job.model;
  if (prepared.job.shard && !loading.packed_copy.empty()) {
    throw ConfigError(loading.packed_copy_place +
                      ": save_quantised: expected no --shard with it, for each shard would write "
                      "the same files; write them once, then name their folder as "
                      "--model-name-or-path");
  }
  // The copy that a finished run has written may be there.
  if (!loading.packed_copy.empty() && !record::preview(prepared.job.request).is_finished) {
    workbench.plan_packed_copy(loading);
  }
  if (const std::string warning = weights::warn_of_revision(loading.name); !warning.empty()) {
    prepared.warnings.push_back(warning);
  }
  for (std::string& warning : warn_of_idle_settings(loading, prepared.device)) {
    prepared.warnings.push_back(std::move(warning));
  }
  for (const auto& more : {prepared.model_info.warnings, prepared.preparation.warnings}) {
    prepared.warnings.insert(prepared.warnings.end(), more.begin(), more.end());
  }
  return prepared;
}

void compute(const PreparedJob& prepared,
             Workbench& workbench,
             JobListener& listener,
             record::ItemLog& files,
             JobResult& result,
             const ComputedWork& work) {
  const OpenLog log(listener, prepared, files);
  const auto start = std::chrono::steady_clock::now();
  if (workbench.write_packed_copy(prepared.job.model)) {
    listener.on_packed_copy(prepared.job.model.packed_copy, seconds_since(start));
  }
  const auto open_model = [&]() -> model::LanguageModel& {
    const auto begin = std::chrono::steady_clock::now();
    const Workbench::Opened opened = workbench.open(prepared.job.model);
    check_same_model(prepared, opened, workbench);
    if (prepared.job.model.served) ask_served(prepared, workbench);
    return listener.on_model(opened.model, opened.is_new, seconds_since(begin));
  };
  std::optional<TokenLog> tokens;
  IfFailed if_failed = IfFailed::AskAgain;
  if (const auto& served = prepared.job.model.served) {
    tokens.emplace(files.folder(), files.experiment_index(), served->prices);
    if (served->keeps_failed) if_failed = IfFailed::Keep;
  }
  const auto on_progress = [&](const Progress& now) {
    if (tokens) tokens->note(now.effort);
    listener.on_progress(now);
  };
  const Outcome outcome = work(open_model, on_progress, if_failed);
  result.n_failed = outcome.n_failed;
  result.is_unfinished = outcome.is_unfinished;
  listener.on_outcome(prepared, result, outcome, seconds_since(start));
}

JobResult carry_out(const PreparedJob& prepared, Workbench& workbench, JobListener& listener) {
  if (prepared.job.shard) return carry_out_shard(prepared, workbench, listener);
  record::RunRequest request = prepared.job.request;
  request.patience.on_wait = [&](const std::string& sentence) { listener.on_wait(sentence); };
  record::Run files = record::Run::open(request);
  JobResult result{.folder = files.folder(),
                   .experiment_index = files.experiment_index(),
                   .was_finished = files.was_finished(),
                   .n_failed = files.n_failed(),
                   .notes = files.notes()};
  if (result.was_finished) {
    listener.on_finished_before(result);
    return result;
  }
  if (const auto shards = record::shards_folder(request); record::is_shards_folder(shards)) {
    listener.on_wait(fmt::format(
        "{} has shards of this run; this process computes all items, whatever they have",
        shards.string()));
  }
  compute(prepared, workbench, listener, files, result,
          [&](const auto& open_model, const auto& on_progress, IfFailed if_failed) {
            return run(prepared.job.settings, prepared.preparation, open_model, files, on_progress,
                       if_failed);
          });
  return result;
}

std::string describe_numerics(model::Quantization quantization, model::DType dtype) {
  const std::string computed(weights::dtype_name(dtype));
  return quantization == model::Quantization::None
             ? computed
             : describe(quantization) + " weights, " + computed;
}

std::vector<std::string> warn_of_idle_settings(const ModelLoading& loading,
                                               const std::string& device) {
  const bool is_gpu = device.starts_with("cuda");
  std::vector<std::string> warnings;
  if (loading.options.allows_tf32 && !(is_gpu && loading.options.dtype == model::DType::Float32)) {
    warnings.push_back(fmt::format(
        "{}: tf32 changes nothing: it is for float32 on a GPU, and this run is {} on {}",
        loading.tf32_place, weights::dtype_name(loading.options.dtype), device));
  }
  if (loading.options.is_fast && !is_gpu) {
    warnings.push_back(
        fmt::format("{}: fast changes nothing: it is for a GPU, and this run is on {}",
                    loading.fast_place, device));
  }
  return warnings;
}

}  // namespace labelprobe::experiment

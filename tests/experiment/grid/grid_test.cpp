// Many runs in one process, with scripted models in place of files.
#include "labelprobe/experiment/grid.h"

#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

#include "labelprobe/core/error.h"

#include "experiment/settings_for_tests.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe::experiment {
namespace {

using support::FakeModel;
using support::TempFolder;

// What a source was asked for, and what goes wrong in it.
struct SourceLog {
  std::vector<std::string> opened;
  int batches_until_crash = -1;  // of the next model
  std::vector<std::filesystem::path> packed;
  int n_encoders = 0;
};

// Encodes a text by its number of tokens.
class FakeEncoder : public model::SentenceEncoder {
 public:
  FakeEncoder() {
    info_.n_dims = 1;
    info_.fingerprint = "encoder";
    info_.device = "none";
  }
  std::vector<float> encode(std::span<const TokenIds> texts) override {
    std::vector<float> vectors;
    for (const TokenIds& text : texts) vectors.push_back(static_cast<float>(text.size()));
    return vectors;
  }
  const model::SentenceEncoderInfo& info() const override { return info_; }

 private:
  model::SentenceEncoderInfo info_;
};

class FakeSource : public ModelSource {
 public:
  explicit FakeSource(SourceLog& log) : log_(log) {}

  std::filesystem::path locate(const std::string& name) const override {
    if (name == "nowhere") throw ModelError("no model of that name");
    return name;
  }
  std::string resolve_device(const std::string& device) const override {
    if (device == "cuda") throw ConfigError("there is no GPU");
    return "none";
  }
  std::shared_ptr<const tokenizer::Tokenizer> load_tokenizer(
      const std::filesystem::path&, const std::string& /*splitting*/) const override {
    return {std::shared_ptr<void>(), &kTokenizer};  // lives as long as the program
  }
  std::optional<tokenizer::ChatTemplate> chat_template(
      const std::filesystem::path&) const override {
    return std::nullopt;
  }
  model::ModelInfo inspect(const ModelLoading& loading) const override {
    model::ModelInfo info = answering_model().info();
    info.fingerprint = loading.model.string();
    info.quantization = loading.options.quantization;
    return info;
  }
  std::unique_ptr<model::LanguageModel> open(const std::filesystem::path& model,
                                             const model::OpenOptions&) const override {
    log_.opened.push_back(model.string());
    auto fake = std::make_unique<FakeModel>(answering_model());
    fake->editable_info().fingerprint = model.string();
    fake->batches_until_crash = std::exchange(log_.batches_until_crash, -1);
    return fake;
  }
  std::unique_ptr<model::SentenceEncoder> open_sentence_encoder(
      const std::filesystem::path&, const SentenceEncoderChoice&) const override {
    ++log_.n_encoders;
    return std::make_unique<FakeEncoder>();
  }
  void save_quantized(const ModelLoading& loading) const override {
    log_.packed.push_back(loading.packed_copy);
  }

 private:
  SourceLog& log_;
};

struct Listener : GridListener {
  void on_job(std::size_t place, std::size_t n_jobs, const GridJob& job) override {
    places.push_back(std::to_string(place + 1) + "/" + std::to_string(n_jobs) + " " + job.name);
  }
  void on_dry_run(const PreparedJob& prepared) override { shown.push_back(prepared.device); }
  void on_warning(const std::string& sentence) override { warnings.push_back(sentence); }
  void on_error(std::size_t,
                std::size_t,
                const GridJob& job,
                const std::exception& error) override {
    errors.push_back(job.name + ": " + error.what());
  }
  void on_open(const PreparedJob&, const record::ItemLog& run) override {
    n_open += 1;
    notes.insert(notes.end(), run.notes().begin(), run.notes().end());
  }
  void on_close() override { n_open -= 1; }

  std::vector<std::string> places, shown, warnings, errors, notes;
  int n_open = 0;
};

GridJob make_job(const std::filesystem::path& logs,
                 std::int64_t seed,
                 const std::string& model = "m") {
  GridJob made;
  made.name = model + " " + std::to_string(seed);
  made.job.settings = example_settings();
  made.job.settings.seed = seed;
  made.job.model.name = model;
  made.job.request.log_root = logs;
  made.job.request.alternative_name = "test";
  made.job.request.params = {{"model", model, true, {}},
                             {"seed", seed, false, {}, record::Bearing::Repetition}};
  return made;
}

std::vector<GridResult> run(std::vector<GridJob> jobs, SourceLog& log, Listener& listener) {
  Workbench workbench({}, std::make_unique<FakeSource>(log));
  return run_grid(jobs, workbench, listener);
}

}  // namespace

TEST_CASE("Jobs of one model stand together and share it, in the order of first use", "[unit]") {
  const TempFolder logs;
  SourceLog log;
  Listener listener;
  std::vector<GridJob> jobs = {make_job(logs.path(), 0, "a"), make_job(logs.path(), 0, "b"),
                               make_job(logs.path(), 1, "a"), make_job(logs.path(), 1, "b")};
  jobs[3].job.model.options.dtype = model::DType::BFloat16;  // another model in memory
  const auto results = run(jobs, log, listener);
  CHECK(listener.places == std::vector<std::string>{"1/4 a 0", "2/4 a 1", "3/4 b 0", "4/4 b 1"});
  CHECK(log.opened == std::vector<std::string>{"a", "b", "b"});
  CHECK(results[2].result.experiment_index == 1);  // joins the folder of the other seed
  CHECK(results[2].result.folder == results[0].result.folder);
  CHECK(results[1].result.folder != results[0].result.folder);
  CHECK(listener.n_open == 0);
}

TEST_CASE("What is finished is not run again, and no model is loaded for it", "[unit]") {
  const TempFolder logs;
  SourceLog log;
  Listener listener;
  run({make_job(logs.path(), 0), make_job(logs.path(), 1)}, log, listener);
  const auto files = support::contents_of(logs.path());
  log.opened.clear();
  auto results = run({make_job(logs.path(), 1), make_job(logs.path(), 0)}, log, listener);
  CHECK(log.opened.empty());
  CHECK(results[0].result.was_finished);
  CHECK(results[0].result.experiment_index == 1);
  CHECK(results[1].result.experiment_index == 0);
  CHECK(support::contents_of(logs.path()) == files);

  GridJob again = make_job(logs.path(), 1);
  again.job.request.if_finished = record::IfFinished::Append;
  results = run({again}, log, listener);
  CHECK_FALSE(results[0].result.was_finished);
  CHECK(results[0].result.experiment_index == 2);
}

TEST_CASE("A grid that died goes on with what is left and ends in the same bytes", "[unit]") {
  const TempFolder logs;
  SourceLog log;
  Listener listener;
  const auto jobs = [&](const std::string& name) {
    return std::vector{make_job(logs.path() / name, 0), make_job(logs.path() / name, 1)};
  };
  run(jobs("whole"), log, listener);
  log.batches_until_crash = 4;  // three batches a job
  const auto died = run(jobs("died"), log, listener);
  CHECK_FALSE(died[0].error);
  CHECK(died[1].error);
  CHECK(listener.errors == std::vector<std::string>{"m 1: the fake model was told to crash"});
  CHECK(listener.n_open == 0);
  const auto rest = run(jobs("died"), log, listener);
  CHECK(rest[0].result.was_finished);
  CHECK_FALSE(rest[1].result.was_finished);
  REQUIRE(listener.notes.size() == 1);
  CHECK_THAT(listener.notes[0], ContainsSubstring("took up experiment_1 with 2 finished items"));
  CHECK(support::contents_of(logs.path() / "died") == support::contents_of(logs.path() / "whole"));
}

TEST_CASE("A job that cannot be made or prepared stops no other", "[unit]") {
  const TempFolder logs;
  SourceLog log;
  Listener listener;
  std::vector<GridJob> jobs = {make_job(logs.path(), 0), make_job(logs.path(), 1),
                               make_job(logs.path(), 2, "nowhere"), make_job(logs.path(), 3)};
  jobs[0].mistake = std::make_exception_ptr(ConfigError("an option is wrong"));
  jobs[1].job.settings.test.splits.clear();
  const auto results = run(jobs, log, listener);
  CHECK(results[0].error);
  CHECK(results[1].error);
  CHECK(results[2].error);
  CHECK_FALSE(results[3].error);
  REQUIRE(listener.errors.size() == 3);
  CHECK(listener.errors[0] == "m 0: an option is wrong");
  CHECK(listener.errors[2] == "nowhere 2: no model of that name");
  CHECK(listener.places == std::vector<std::string>{"3/4 m 3"});
}

TEST_CASE("A dry run shows all, writes nothing, and needs no device", "[unit]") {
  const TempFolder logs;
  SourceLog log;
  Listener listener;
  std::vector<GridJob> jobs = {make_job(logs.path(), 0), make_job(logs.path(), 1)};
  for (GridJob& job : jobs) {
    job.job.is_dry_run = true;
    job.job.model.options.device = "cuda";
    job.job.warnings = {"said once"};
  }
  run(jobs, log, listener);
  CHECK(listener.shown == std::vector<std::string>{"cuda", "cuda"});
  REQUIRE(listener.warnings.size() >= 2);
  CHECK(listener.warnings[0] == "said once");
  CHECK(listener.warnings[1] == "there is no GPU");
  CHECK(std::set<std::string>(listener.warnings.begin(), listener.warnings.end()).size() ==
        listener.warnings.size());
  CHECK(std::filesystem::is_empty(logs.path()));
  jobs[0].job.is_dry_run = false;
  run({jobs[0]}, log, listener);
  CHECK(listener.errors == std::vector<std::string>{"m 0: there is no GPU"});
}

TEST_CASE("Weights are logged by what they are in the end", "[unit]") {
  const TempFolder logs;
  SourceLog log;
  Workbench workbench({}, std::make_unique<FakeSource>(log));
  Job job = make_job(logs.path(), 0).job;
  job.model.options.quantization = model::Quantization::Fp4;
  job.request.params.push_back({"quant", {}});
  job.request.params.push_back({"load_in_4bit", false});
  const PreparedJob prepared = prepare(job, workbench);
  const auto value = [&](const std::string& name) {
    for (const record::Param& param : prepared.job.request.params) {
      if (param.name == name) return param.value;
    }
    throw std::out_of_range(name);
  };
  CHECK(value("quant") == record::ParamValue("fp4"));
  CHECK(value("load_in_4bit") == record::ParamValue(true));
  CHECK(prepared.job.request.contents.at("quantisation") == "fp4");
}

TEST_CASE("A packed copy is written once; another's folder and one that is there are refused",
          "[unit]") {
  const TempFolder logs;
  SourceLog log;
  Listener listener;
  std::vector<GridJob> jobs = {make_job(logs.path(), 0), make_job(logs.path(), 1),
                               make_job(logs.path(), 2, "other")};
  for (GridJob& job : jobs) {
    job.job.model.packed_copy = logs.path() / "packed";
    job.job.model.packed_copy_place = "--save-quantised";
  }
  run(jobs, log, listener);
  CHECK(log.packed == std::vector<std::filesystem::path>{logs.path() / "packed"});
  CHECK(log.opened == std::vector<std::string>{(logs.path() / "packed").string()});
  REQUIRE(listener.errors.size() == 1);
  CHECK_THAT(listener.errors[0],
             ContainsSubstring("is the folder of another setting's weights; give each its own"));

  std::filesystem::create_directory(logs.path() / "packed");
  listener.errors.clear();
  jobs[1].job.request.if_finished = record::IfFinished::Append;
  const auto results = run({jobs[0], jobs[1]}, log, listener);
  CHECK(results[0].result.was_finished);  // its copy may be there
  REQUIRE(listener.errors.size() == 1);
  CHECK_THAT(listener.errors[0], ContainsSubstring("is there already"));
}

TEST_CASE("A sentence encoder sees each text once", "[unit]") {
  SourceLog log;
  std::vector<std::string> said;
  Workbench workbench(
      [&](const Workbench::Encoding& encoding) {
        said.push_back(encoding.encoder.string() + " " + std::to_string(encoding.n_texts) +
                       (encoding.seconds < 0 ? "" : " on " + encoding.device));
      },
      std::make_unique<FakeSource>(log));
  CHECK_FALSE(workbench.text_encoder({}));
  const auto encode = workbench.text_encoder({"mini", "cpu", 1});
  const EncodedTexts first = encode(std::vector<std::string>{"joy", "joyjoy", "joy"});
  CHECK(first.vectors == std::vector<float>{1, 2, 1});
  CHECK(first.encoder_fingerprint == "encoder");
  CHECK(encode(std::vector<std::string>{"joyjoy"}).vectors == std::vector<float>{2});
  CHECK(log.n_encoders == 1);
  CHECK(said == std::vector<std::string>{"sentence-transformers/mini 2",
                                         "sentence-transformers/mini 2 on none"});
  workbench.text_encoder({"org/other"})(std::vector<std::string>{"joy"});
  CHECK(log.n_encoders == 2);
}

}  // namespace labelprobe::experiment

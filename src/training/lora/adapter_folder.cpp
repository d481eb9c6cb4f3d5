#include "training/lora/adapter_folder.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/new_folder.h"
#include "labelprobe/files/output_file.h"

#include "training/optimizer/tensor_file.h"
#include "weights/adapter/adapter.h"

namespace labelprobe::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOptimizerFile = "optimizer.safetensors";
constexpr std::string_view kCheckpoint = "checkpoint-";
// Without it peft and transformers refuse the file.
const std::map<std::string, std::string> kOfTorch = {{"format", "pt"}};

void write_json(const fs::path& path, const nlohmann::ordered_json& value) {
  files::OutputFile file(path);
  file.stream() << value.dump(2) << '\n';
  file.finish();
}

nlohmann::ordered_json peft_config(const FinetuneSettings& settings,
                                   const TrainingIdentity& identity) {
  return {{"peft_type", "LORA"},
          {"task_type", "CAUSAL_LM"},
          {"base_model_name_or_path", identity.model_name},
          {"r", settings.lora.r},
          {"lora_alpha", settings.lora.alpha},
          {"lora_dropout", settings.lora.dropout},
          {"target_modules", settings.lora.target_modules},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"init_lora_weights", true},
          {"use_rslora", false},
          {"use_dora", false},
          {"modules_to_save", nullptr},
          {"inference_mode", true}};
}

nlohmann::ordered_json note_of(const TrainingIdentity& identity) {
  return {{"base_fingerprint", identity.base_fingerprint}, {"training", identity.description}};
}

NamedTensors matrices_of(const std::vector<NamedParameter>& parameters) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : parameters) tensors[name] = tensor;
  return tensors;
}

// Steps of the checkpoints below the folder, the newest first.
std::vector<std::int64_t> checkpoints_of(const fs::path& folder) {
  std::vector<std::int64_t> steps;
  if (!fs::is_directory(folder)) return steps;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    std::int64_t step = 0;
    if (!name.starts_with(kCheckpoint)) continue;
    const char* const end = name.data() + name.size();
    const auto [read_to, error] = std::from_chars(name.data() + kCheckpoint.size(), end, step);
    if (error == std::errc() && read_to == end) steps.push_back(step);
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

fs::path checkpoint_folder(const fs::path& folder, std::int64_t step) {
  return folder / fmt::format("{}{}", kCheckpoint, step);
}

// Throws ConfigError unless the note in the folder is that of this training.
void check_identity(const fs::path& folder, const TrainingIdentity& identity) {
  const fs::path path = folder / weights::kAdapterNoteFile;
  const files::JsonView note = files::load_json_object(path, ErrorKind::Data);
  const auto check = [&](const char* key, const std::string& expected) {
    const std::string& found = note.at(key).string();
    if (found != expected) {
      throw ConfigError(
          fmt::format("{}: the folder holds another training; expected {} '{}', found '{}'; give "
                      "this one another "
                      "--output-dir, or move that one away",
                      path.string(), key, expected, found));
    }
  };
  check("training", identity.description);
  check("base_fingerprint", identity.base_fingerprint);
}

}  // namespace

void write_adapter(const fs::path& folder,
                   const std::vector<NamedParameter>& parameters,
                   const FinetuneSettings& settings,
                   const TrainingIdentity& identity) {
  write_json(folder / weights::kAdapterNoteFile, note_of(identity));
  write_tensors(folder / weights::kAdapterFile, matrices_of(parameters), kOfTorch);
  write_json(folder / weights::kAdapterConfigFile, peft_config(settings, identity));
}

void write_checkpoint(const fs::path& folder,
                      const AdamW& optimizer,
                      const FinetuneSettings& settings,
                      const TrainingIdentity& identity,
                      const Curve& curve,
                      std::int64_t step) {
  const fs::path target = checkpoint_folder(folder, step);
  if (fs::exists(target)) return;
  fs::remove_all(target.string() + ".partial");  // of a run that was killed
  files::write_new_folder(target, ErrorKind::Config, [&](const fs::path& partial) {
    write_adapter(partial, optimizer.parameters(), settings, identity);
    write_tensors(partial / kOptimizerFile, optimizer.state(), kOfTorch);
    files::OutputFile table(partial / "curve.csv");
    write_curve_csv(table.stream(), curve);
    table.finish();
  });
  const std::vector<std::int64_t> steps = checkpoints_of(folder);
  for (std::size_t i = static_cast<std::size_t>(settings.n_kept); i < steps.size(); ++i) {
    fs::remove_all(checkpoint_folder(folder, steps[i]));
  }
}

std::optional<std::int64_t> read_checkpoint(const fs::path& folder,
                                            AdamW& optimizer,
                                            const TrainingIdentity& identity,
                                            Curve& curve) {
  const std::vector<std::int64_t> steps = checkpoints_of(folder);
  if (steps.empty()) return std::nullopt;
  const fs::path newest = checkpoint_folder(folder, steps.front());
  check_identity(newest, identity);
  const NamedTensors matrices = read_tensors(newest / weights::kAdapterFile);
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : optimizer.parameters()) {
    const auto found = matrices.find(name);
    if (found == matrices.end() || found->second.sizes() != tensor.sizes()) {
      throw DataError(fmt::format(
          "{}: expected a tensor {} in {}, found {}", (newest / weights::kAdapterFile).string(),
          name, files::describe_shape(tensor.sizes()),
          found == matrices.end() ? "none" : files::describe_shape(found->second.sizes())));
    }
    tensor.copy_(found->second);
  }
  optimizer.set_state(read_tensors(newest / kOptimizerFile));
  curve.rows = read_curve_csv(newest / "curve.csv").rows;
  return steps.front();
}

bool is_finished(const fs::path& folder, const TrainingIdentity& identity) {
  if (!fs::exists(folder / weights::kAdapterConfigFile)) return false;
  check_identity(folder, identity);
  return true;
}

}  // namespace labelprobe::training

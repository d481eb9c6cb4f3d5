// From the files of a model, which weights::locate() finds, to one that answers; and what can be
// said of files and devices before anything is loaded. Callers: those who plan runs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/model/language_model.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::model {

struct OpenOptions {
  DType dtype = DType::Float32;
  std::string device = "auto";  // "auto", "cpu", "cuda", "cuda:N"; several: "cuda:0,cuda:1"
  int n_threads = 0;            // CPU threads; 0 = one per physical core
  // None: as the checkpoint says, which may itself hold quantised weights.
  Quantization quantization = Quantization::None;
  // What a GGUF file holds in blocks of codes, on a CPU. Auto: packed in float32, where this
  // processor has the instructions for it; else unpacked, where that takes at most half of the
  // memory that the machine, or a limit, gives this process.
  WeightForm weights = WeightForm::Auto;
  bool allows_tf32 = false;  // float32 products on CUDA may round their factors to TF32
  // On CUDA: products and attention in the way that suits the rows at hand, whose last bits depend
  // on how prompts are grouped. Nothing on a CPU.
  bool is_fast = false;
  // The folder of a LoRA adapter, as peft writes it, that belongs to the model; empty = none.
  std::filesystem::path adapter = {};
};

// Loads a model from the place locate() found. Throws ModelError naming the file and the tensor or
// config key, what was expected and what was found; ConfigError for a device that is not there, and
// for weights that are to stay packed where they cannot.
std::unique_ptr<LanguageModel> open(const std::filesystem::path& model, const OpenOptions& options);

// What open() would say about the model, from its headers alone: nothing is loaded, device fields
// stay empty.
ModelInfo inspect(const std::filesystem::path& model, const OpenOptions& options);

// What models are computed with on this machine, name and words: "libtorch", "processor", "CUDA".
std::vector<std::pair<std::string, std::string>> describe_platform();

// The device that "auto", "cuda" and the like mean on this machine: "cpu", "cuda:0"; several,
// which share one model's layers, with commas between them. Throws
// ConfigError, as open() would, for one that is not there.
std::string resolve_device(const std::string& device);

// Bytes that can still be allocated on a device, or on several together; 0 if that is not known.
// Throws as above.
std::size_t free_device_bytes(const std::string& device);

}  // namespace labelprobe::model

// What computed items, in so far as no parameter says it: with the parameters, enough to do them
// again and to tell why they differ from others.
#pragma once

#include <concepts>
#include <map>
#include <string>
#include <type_traits>

namespace labelprobe::record {

struct Provenance {
  std::string program;      // program_version()
  std::string backend;      // libtorch's version and whose code computes
  std::string device;       // "cpu", "cuda:0"
  std::string device_name;  // the processor and its threads, or the GPU and its driver
  std::string dtype;        // in which the model computes
  std::string quantization;
  std::string generation;  // end tokens and rules of generation in force; empty in older logs
  // Fingerprints of the model's files, the tokenizer and all prompts with their ids, see
  // core/fingerprint.h.
  std::string model_fingerprint;
  std::string tokenizer_fingerprint;
  std::string prompts_fingerprint;
  std::map<std::string, std::string> data_files;  // path -> fingerprint of its bytes

  friend bool operator==(const Provenance&, const Provenance&) = default;
};

// The fields, each named once, for those who write and read them.
template <class Made, class Visitor>
requires std::same_as<std::remove_const_t<Made>, Provenance>
void visit_fields(Made& made, Visitor&& visit) {
  visit("program", made.program);
  visit("backend", made.backend);
  visit("device", made.device);
  visit("device_name", made.device_name);
  visit("dtype", made.dtype);
  visit("quantization", made.quantization);
  visit("generation", made.generation);
  visit("model_fingerprint", made.model_fingerprint);
  visit("tokenizer_fingerprint", made.tokenizer_fingerprint);
  visit("prompts_fingerprint", made.prompts_fingerprint);
  visit("data_files", made.data_files);
}

// "0.1.0, commit 0123456789ab", with ", modified" if the sources were changed since; without the
// commit where the sources are in no git repository.
std::string program_version();

}  // namespace labelprobe::record

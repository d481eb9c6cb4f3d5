// What the CUDA compiler made of every kernel, read from the module by cuobjdump: nothing that
// belongs into registers lies in memory, and registers and shared memory are there on the GPUs that
// the module has code for. Needs no GPU. What can be known earlier is asserted in
// attention_tiles.h.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <cxxabi.h>

#include "model/cuda/gpu_limits.h"
#include "model/cuda/kernel_list.h"
#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::model::cuda {
namespace {

// One kernel in the code for one architecture.
struct Compiled {
  std::string arch;    // "sm_80"
  std::string kernel;  // as visit_kernels() names it
  std::map<std::string, int> resources;
};

struct Wanted {
  std::string kernel;
  KernelNeeds needs;
};

std::vector<Wanted> wanted_kernels() {
  std::vector<Wanted> wanted;
  visit_kernels([&](const std::string& name, auto, const KernelNeeds& needs) {
    wanted.push_back({name, needs});
  });
  return wanted;
}

// "attend_items<float, 64, 64, 64>" of a whole declaration.
std::string kernel_name(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free);
  const std::string whole = status == 0 ? demangled.get() : symbol;
  const std::string scope = "labelprobe::model::cuda::";
  const std::size_t first = whole.find(scope);
  if (first == std::string::npos) return whole;
  const std::size_t name = first + scope.size();
  return whole.substr(name, whole.find(">(", name) + 1 - name);
}

// What `cuobjdump --dump-resource-usage` says.
std::vector<Compiled> read_resources(const std::string& text) {
  std::vector<Compiled> all;
  std::string arch;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "arch") {
      words >> word >> arch;
    } else if (word == "Function") {
      words >> word;
      word.pop_back();  // a colon
      all.push_back({arch, kernel_name(word), {}});
    } else if (word.starts_with("REG:") && !all.empty()) {
      do {
        const std::size_t colon = word.find(':');
        all.back().resources[word.substr(0, colon)] = std::stoi(word.substr(colon + 1));
      } while (words >> word);
    }
  }
  return all;
}

std::string find_fault(const Compiled& found, const KernelNeeds& needs, const GpuLimits& limits) {
  const int n_registers = found.resources.at("REG");
  const int static_bytes = found.resources.at("SHARED");
  const int in_memory = found.resources.at("STACK") + found.resources.at("LOCAL");
  if (in_memory > 0) return std::to_string(in_memory) + " bytes of a thread lie in memory";
  if (static_bytes > kStaticBytes) return std::to_string(static_bytes) + " bytes are declared";
  if (static_bytes + needs.shared_bytes > limits.block_bytes) return "too much shared memory";
  const int n_blocks = blocks_at_once(limits, needs.n_threads, n_registers, static_bytes);
  if (n_blocks < needs.n_blocks) {
    return std::to_string(n_registers) + " registers leave room for " + std::to_string(n_blocks) +
           " blocks, expected " + std::to_string(needs.n_blocks);
  }
  return "";
}

using Code = std::map<std::string, std::vector<Compiled>>;  // by architecture

// What a GPU runs: its own code or that of an older one of its generation; null where it compiles
// PTX by itself.
const std::vector<Compiled>* code_for(const GpuLimits& limits, const Code& code) {
  for (int capability = limits.capability; capability >= limits.capability / 10 * 10;
       --capability) {
    const auto found = code.find("sm_" + std::to_string(capability));
    if (found != code.end()) return &found->second;
  }
  return nullptr;
}

// Everything that is wrong, one line each.
//   without  GPUs that there is no code for, which nothing is known of
std::string find_faults(const std::vector<Compiled>& all, std::vector<int>& without) {
  Code code;
  for (const Compiled& compiled : all) code[compiled.arch].push_back(compiled);
  const std::vector<Wanted> wanted = wanted_kernels();
  std::string faults;
  for (const GpuLimits& limits : kGpuLimits) {
    const auto add = [&](const std::string& kernel, const std::string& fault) {
      if (!fault.empty()) {
        faults += std::to_string(limits.capability) + " " + kernel + ": " + fault + "\n";
      }
    };
    const std::vector<Compiled>* found = code_for(limits, code);
    if (!found) {
      without.push_back(limits.capability);
      continue;
    }
    std::set<std::string> missing;
    for (const Wanted& one : wanted) missing.insert(one.kernel);
    for (const Compiled& compiled : *found) {
      const auto known = std::find_if(wanted.begin(), wanted.end(), [&](const Wanted& one) {
        return one.kernel == compiled.kernel;
      });
      add(compiled.kernel, known == wanted.end() ? "not in kernel_list.h"
                                                 : find_fault(compiled, known->needs, limits));
      missing.erase(compiled.kernel);
    }
    for (const std::string& kernel : missing) add(kernel, "not there");
  }
  return faults;
}

std::string output_of(const std::string& command) {
  std::string output;
  FILE* stream = ::popen(command.c_str(), "r");
  if (!stream) return output;
  char piece[4096];
  while (const std::size_t n = std::fread(piece, 1, sizeof piece, stream)) output.append(piece, n);
  ::pclose(stream);
  return output;
}

}  // namespace

TEST_CASE("What cuobjdump says of a kernel is held to what a GPU has", "[cuda]") {
  const auto faults_of = [](const std::string& kernel, const std::string& resources) {
    std::vector<int> without;
    const std::string text =
        "Fatbin elf code:\narch = sm_80\nResource usage:\n Common:\n  GLOBAL:0\n Function "
        "_ZN10labelprobe5model4cuda11" +
        kernel + "IfEEvNS1_14MergeArgumentsIT_EE:\n  " + resources + " CONSTANT[0]:480 TEXTURE:0\n";
    const std::string faults = find_faults(read_resources(text), without);
    CHECK(without == std::vector<int>{90, 100, 120});
    CHECK(faults.find("89 read_rows<float>: not there\n") != std::string::npos);
    return faults.substr(0, faults.find("80 attend_items"));
  };
  const std::string kernel = "merge_parts";
  CHECK(faults_of(kernel, "REG:40 STACK:0 SHARED:0 LOCAL:0") == "");
  CHECK(faults_of(kernel, "REG:40 STACK:8 SHARED:0 LOCAL:0") ==
        "80 merge_parts<float>: 8 bytes of a thread lie in memory\n");
  CHECK(faults_of(kernel, "REG:255 STACK:0 SHARED:0 LOCAL:0") ==
        "80 merge_parts<float>: 255 registers leave room for 4 blocks, expected 8\n");
  CHECK(faults_of(kernel, "REG:40 STACK:0 SHARED:50000 LOCAL:0") ==
        "80 merge_parts<float>: 50000 bytes are declared\n");
  CHECK(faults_of("other_parts", "REG:40 STACK:0 SHARED:0 LOCAL:0") ==
        "80 other_parts<float>: not in kernel_list.h\n");
}

TEST_CASE("Every kernel of the module fits the GPUs that it has code for", "[cuda]") {
  const auto module = support::build_folder() / "liblabelprobe_cuda.so";
  if (!std::filesystem::exists(module)) SKIP_ALOUD("there is no module with CUDA kernels");
  const std::string cuobjdump = LABELPROBE_CUOBJDUMP;
  if (!std::filesystem::exists(cuobjdump)) {
    SKIP_ALOUD("there is no cuobjdump, which reads what the CUDA compiler made");
  }
  const auto all =
      read_resources(output_of(cuobjdump + " --dump-resource-usage " + module.string()));
  REQUIRE(!all.empty());
  std::vector<int> without;
  CHECK(find_faults(all, without) == "");
  for (const int capability : without) {
    std::cerr << "SKIPPED: the module has no code for GPUs of " << capability << std::endl;
  }
}

}  // namespace labelprobe::model::cuda

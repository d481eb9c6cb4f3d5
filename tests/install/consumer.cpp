// Uses two rooms from outside: headers, libraries and what they link to are all there.
#include <iostream>

#include "labelprobe/core/fingerprint.h"
#include "labelprobe/prompt/sampler.h"

int main() {
  for (const auto& sampler : labelprobe::prompt::samplers()) std::cout << sampler.name << '\n';
  std::cout << labelprobe::fingerprint("a library of somebody else's") << '\n';
}

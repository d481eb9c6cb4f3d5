// Uses two rooms from outside: headers, libraries and what they link to are all there.
#include <iostream>

#include "labelprobe/core/fingerprint.h"
#include "labelprobe/prompt/plan.h"

int main() {
  for (const auto& plan : labelprobe::prompt::plans()) std::cout << plan.name << '\n';
  std::cout << labelprobe::fingerprint("a library of somebody else's") << '\n';
}

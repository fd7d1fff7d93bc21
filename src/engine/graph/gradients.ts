import { isSameShape } from '#engine/graph/dimension';
import { GraphError, type GraphNode, type OperationKind } from '#engine/graph/graph';
import type { GraphBuilder } from '#engine/graph/graphBuilder';
import type { InputGradient, OperationRule } from '#engine/graph/operationRule';
import { operationRules, type OperationAttributes } from '#engine/graph/operations';

interface Upstream {
  readonly builder: GraphBuilder;
  readonly output: GraphNode;
  readonly upstream: GraphNode;
}

function inputGradients<Kind extends OperationKind>(
  node: GraphNode<Kind>,
  step: Upstream,
): readonly (InputGradient | null)[] {
  const rule: OperationRule<OperationAttributes[Kind]> = operationRules[node.kind];
  if (rule.gradient === null) return [];
  return rule.gradient({ ...step, inputs: node.inputs, attributes: node.attributes });
}

/** Nodes between the variables and the loss, the loss last, and the ids of those that vary. */
function varyingNodes(loss: GraphNode, variables: readonly GraphNode[]) {
  const order = new Map<number, GraphNode>();
  const pending = [loss];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (order.has(node.id)) continue;
    order.set(node.id, node);
    pending.push(...node.inputs);
  }
  const nodes = [...order.values()].toSorted((a, b) => a.id - b.id);
  const varying = new Set(variables.map(({ id }) => id));
  for (const node of nodes) {
    const depends = node.inputs.some(({ id }) => varying.has(id));
    if (depends && operationRules[node.kind].gradient !== null) varying.add(node.id);
  }
  return { nodes: nodes.filter(({ id }) => varying.has(id)), varying };
}

/**
 * Reverse-mode differentiation: builds the gradient of a scalar with respect to each variable, and only
 * the nodes these need.
 *
 * @param loss Shape `[]`.
 * @param variables Any nodes, usually inputs.
 * @returns One node per variable in its shape; zeros for one that the loss does not depend on.
 */
export function gradients(
  builder: GraphBuilder,
  loss: GraphNode,
  variables: readonly GraphNode[],
): GraphNode[] {
  if (!isSameShape(loss.shape, []))
    throw new GraphError(`the loss must be a scalar, not [${loss.shape.join(', ')}]`);
  const { nodes, varying } = varyingNodes(loss, variables);
  const upstreams = new Map<number, GraphNode>([[loss.id, builder.scalar(1)]]);
  const isVariable = new Set(variables.map(({ id }) => id));
  for (const node of nodes.toReversed()) {
    const upstream = upstreams.get(node.id);
    if (upstream === undefined || isVariable.has(node.id)) continue;
    const steps = inputGradients(node, { builder, output: node, upstream });
    steps.forEach((build, index) => {
      const input = node.inputs[index];
      if (build === null || !varying.has(input.id)) return;
      const sum = upstreams.get(input.id);
      upstreams.set(input.id, sum === undefined ? build() : builder.add(sum, build()));
    });
  }
  return variables.map(
    (variable) => upstreams.get(variable.id) ?? builder.broadcastTo(builder.scalar(0), variable.shape),
  );
}

/** Services, their endpoints with health, and the evidence behind each. */
import { useEffect } from 'preact/hooks';
import type {
  EndpointJson,
  EndpointsJson,
  EvidencesJson,
  ServiceJson,
  ServicesJson,
} from '../../../services/dashboard/messages.js';
import { useQuestion } from '../questions.js';
import { count, time } from '../words.js';
import { Refusal } from './refusal.js';

export function ServicesPanel() {
  const [answer, askServices] = useQuestion<ServicesJson>('/api/services');
  useEffect(() => askServices({}), [askServices]);
  return (
    <section class="panel" aria-labelledby="services-title">
      <h2 id="services-title">Services</h2>
      <Refusal answer={answer} />
      {answer.kind === 'answered' && (
        <>
          {answer.result.services.length === 0 && <p class="quiet">Nobody has registered.</p>}
          {answer.result.services.map((service) => (
            <Service key={service.service} service={service} />
          ))}
          {answer.result.nextPageToken !== undefined && (
            <p class="quiet">These are the first {count(answer.result.services.length)}.</p>
          )}
        </>
      )}
      <button type="button" onClick={() => askServices({})}>
        Ask again
      </button>
    </section>
  );
}

function Service({ service: summary }: { readonly service: ServiceJson }) {
  const { service, endpointCount, healthyCount, isProtected } = summary;
  const [answer, askEndpoints] = useQuestion<EndpointsJson>('/api/endpoints');
  return (
    <details onToggle={(event) => event.currentTarget.open && askEndpoints({ service })}>
      <summary>
        {service}{' '}
        <span class="quiet">
          {healthyCount} of {endpointCount} healthy{isProtected ? ', protected' : ''}
        </span>
      </summary>
      <Refusal answer={answer} />
      {answer.kind === 'answered' && (
        <ul class="plain">
          {answer.result.endpoints.map((endpoint) => (
            <Endpoint key={endpoint.address} service={service} endpoint={endpoint} />
          ))}
        </ul>
      )}
      {answer.kind === 'answered' && answer.result.nextPageToken !== undefined && (
        <p class="quiet">These are the first {count(answer.result.endpoints.length)}.</p>
      )}
    </details>
  );
}

type EndpointProps = { readonly service: string; readonly endpoint: EndpointJson };

function Endpoint({ service, endpoint: { address, health } }: EndpointProps) {
  const [answer, askEvidence] = useQuestion<EvidencesJson>('/api/evidence');
  return (
    <li>
      <div class="row">
        <span class={`health is-${health}`}>{health}</span>
        <span class="grow">{address}</span>
        <button type="button" class="link" onClick={() => askEvidence({ service, address })}>
          Why?
        </button>
      </div>
      <Refusal answer={answer} />
      {answer.kind === 'answered' && (
        <ol class="evidence">
          {answer.result.evidence.map(({ observer, check, outcome, rule, observedAtMs }) => (
            <li key={`${observer} ${observedAtMs} ${check}`}>
              <span class="figure">{time(observedAtMs)}</span> {check}: {outcome}{' '}
              <span class="quiet">
                {rule === '' ? '' : `${rule}, `}seen by {observer}
              </span>
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}
